"""What partners are told at an address of theirs: made once, sent until they have it."""
