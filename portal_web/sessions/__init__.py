"""What the portal remembers of a browser: in the browser, encrypted."""
