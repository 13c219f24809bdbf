"""The API by which a partner asks for signatures of files by their hashes."""
