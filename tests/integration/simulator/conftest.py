from tests.fakes.browser_phone import (  # noqa: F401  fixtures
    application,
    around,
    browser,
    owner,
)
from tests.fakes.phone_fixtures import cheap_argon2, world  # noqa: F401  fixtures
