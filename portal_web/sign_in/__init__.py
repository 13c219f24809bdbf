"""The sign-in page: a browser waits until a phone has answered an offer."""
