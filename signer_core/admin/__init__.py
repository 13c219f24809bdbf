"""What security officers see and do: people, keys, mass jobs; and who is an officer."""
