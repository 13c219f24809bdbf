"""The portal: what people and partners see of the system."""
