"""The registrar's migrations."""
