"""`python -m hsm_module.ceremony`."""

from hsm_module.ceremony.cli import app

app(prog_name="python -m hsm_module.ceremony")
