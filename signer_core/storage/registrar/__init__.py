"""The registrar's database: activation codes and what was granted for them."""
