"""A partner's program that has files signed by their hash."""
