from tests.fakes.phone_cli import enrol_phone, run, wired  # noqa: F401  fixtures
from tests.fakes.phone_fixtures import (  # noqa: F401  fixtures
    cheap_argon2,
    enrolled,
    phone,
    world,
)
