"""The seal service: levels of PAdES and CAdES, and their repair."""
