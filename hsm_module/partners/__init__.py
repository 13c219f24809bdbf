"""The vault's registry of partners: it signs their records and says who is suspended."""
