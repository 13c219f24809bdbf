"""High-water marks: how far rows have come, in a file outside the database (docs/spec §7).

A row rolled back with its right MAC is below its mark, a deleted one has a mark and no row. The
file is as trustworthy as the vault host's disk; it holds ids and counts, no secret.
"""
