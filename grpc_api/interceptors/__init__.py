"""What surrounds every call: errors, correlation, deadlines, allowed callers."""
