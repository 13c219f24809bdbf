"""What officers do with the vault, each call under the caller's own role."""
