"""Signature requests: made for a relying party, shown to a phone, finished after the vault."""
