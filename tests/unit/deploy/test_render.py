import tomllib

import pytest

from deploy.render import render

EXAMPLE = """# a comment
listen = "127.0.0.1:1" # why
ttl_s = 600
names = ["a"]

[tls]
cert = "old.pem"
key = "old.key"
"""


def test_only_the_named_values_change() -> None:
    changed = tomllib.loads(render(EXAMPLE, {"listen": 'a "quoted" \\ value', "tls.key": "new"}))
    assert changed == {
        "listen": 'a "quoted" \\ value',
        "ttl_s": 600,
        "names": ["a"],
        "tls": {"cert": "old.pem", "key": "new"},
    }


def test_a_key_of_another_table_is_not_taken_for_it() -> None:
    with pytest.raises(ValueError, match="lacks cert"):
        render(EXAMPLE, {"cert": "x"})


def test_a_key_that_the_example_lacks_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"lacks tls\.ca"):
        render(EXAMPLE, {"tls.ca": "x"})
