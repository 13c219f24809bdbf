"""Signing in at partners: an OpenID provider (docs/flows/login.md)."""
