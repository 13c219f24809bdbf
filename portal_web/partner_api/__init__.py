"""What a partner's server asks for over HTTP: offers made, looked at, withdrawn, collected."""
