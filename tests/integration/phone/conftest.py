from tests.fakes.phone_fixtures import (  # noqa: F401  fixtures
    cheap_argon2,
    enrolled,
    phone,
    world,
)
