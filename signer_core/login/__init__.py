"""Signing in at partners with OpenID Connect: what is true without a web page."""
