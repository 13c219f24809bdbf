"""Where a developer makes a partner of the sandbox: form in, client id and secret out."""
