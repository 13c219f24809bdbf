"""The start page: what the system is and where things are."""
