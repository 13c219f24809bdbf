"""`python -m hsm_module.officers`."""

from hsm_module.officers.cli import app

app(prog_name="signer-keys")
