"""What is true without a screen: protocols, certificates, documents, keys, requests."""
