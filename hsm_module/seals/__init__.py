"""Electronic seals: whose they are, who may use them, and signing with their keys."""
