"""The signer's database: devices, certificates, requests and their files."""
