"""The vault's own database: wrapped records, rows under a MAC, requests, outbox for audit.

Nothing here is believed because it is in the database: a row is what the token's MAC says it is,
a record is what the token decrypts. Requests, keys and events carry ids and hashes, never a name.
"""
