"""What the portal may be called: over TLS, except on this machine."""

import pytest
from pydantic import TypeAdapter, ValidationError

from portal_web.settings import PublicUrl

CHECK = TypeAdapter(PublicUrl).validate_python


@pytest.mark.parametrize("url", ["https://sign.example", "http://127.0.0.1:7440"])
def test_a_public_url_is_scheme_and_host(url):
    assert CHECK(url) == url


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://sign.example", "begins with https"),
        ("ftp://127.0.0.1", "begins with https"),
        ("https://sign.example/", "scheme and host alone"),
        ("https://u@sign.example", "scheme and host alone"),
        ("https://sign.example?x", "scheme and host alone"),
        ("sign.example", "scheme and host alone"),
    ],
)
def test_another_public_url_is_refused(url, says):
    with pytest.raises(ValidationError, match=says):
        CHECK(url)
