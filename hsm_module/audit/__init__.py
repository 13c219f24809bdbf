"""The vault's part of the audit log: its events until they are fetched, and signed trees."""
