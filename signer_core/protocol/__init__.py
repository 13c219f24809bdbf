"""Two-party schemes as functions of their inputs: no clock, no random source, no I/O."""
