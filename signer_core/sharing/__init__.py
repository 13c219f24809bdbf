"""What partners and people hand each other: offers, and later documents."""
