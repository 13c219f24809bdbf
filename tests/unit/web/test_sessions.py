"""Cookies that only we can write, sessions that nobody plants, forms from our own pages."""

import base64
import json
import time

import pytest
from cryptography.fernet import Fernet, MultiFernet
from starlette.requests import Request
from starlette.responses import Response

from portal_web.sessions.cookies import SealedCookies
from portal_web.sessions.keys import read_keys
from portal_web.sessions.session import (
    COOKIE,
    Session,
    Sessions,
    form_token,
    new_session,
    read_form,
)
from signer_core.errors import DeniedError, InvalidRequestError, UnavailableError

KEY = Fernet(Fernet.generate_key())
COOKIES = SealedCookies(MultiFernet([KEY]), is_secure=True)


def _request(cookies=None, body=b"", **headers):
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    if cookies:
        told["cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    raw = [(name.encode(), value.encode()) for name, value in told.items()]
    return Request({"type": "http", "method": "POST", "headers": raw}, receive)


def _written(content, name="flow", cookies=COOKIES):
    response = Response()
    cookies.write(response, name, content, 60)
    return response.headers["set-cookie"]


def _value(header):
    return header.split("=", 1)[1].split(";")[0]


def test_what_was_written_is_read():
    request = _request({"__Host-flow": _value(_written({"a": 1}))})
    assert COOKIES.read(request, "flow", 60) == {"a": 1}


def test_a_cookie_shows_nothing_and_has_every_guard():
    header = _written({"secret": "плід"})
    assert header.startswith("__Host-flow=")
    for guard in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=60"):
        assert guard in header
    assert "Domain" not in header
    assert b"secret" not in base64.urlsafe_b64decode(_value(header))


def test_a_cookie_of_another_name_key_or_time_is_nothing():
    value = _value(_written({"a": 1}))
    assert COOKIES.read(_request({"__Host-other": value}), "other", 60) is None
    stranger = SealedCookies(MultiFernet([Fernet(Fernet.generate_key())]), is_secure=True)
    assert stranger.read(_request({"__Host-flow": value}), "flow", 60) is None
    old = KEY.encrypt_at_time(json.dumps(["flow", {"a": 1}]).encode(), int(time.time()) - 61)
    assert COOKIES.read(_request({"__Host-flow": old.decode()}), "flow", 60) is None
    assert COOKIES.read(_request({"__Host-flow": "ґ"}), "flow", 60) is None
    assert COOKIES.read(_request(), "flow", 60) is None


def test_a_new_key_writes_and_an_old_one_still_reads():
    newer = SealedCookies(MultiFernet([Fernet(Fernet.generate_key()), KEY]), is_secure=True)
    assert newer.read(_request({"__Host-flow": _value(_written({}))}), "flow", 60) == {}
    by_newer = _value(_written({}, cookies=newer))
    assert COOKIES.read(_request({"__Host-flow": by_newer}), "flow", 60) is None


def test_a_cookie_that_a_browser_would_drop_is_a_defect():
    with pytest.raises(ValueError, match="would have"):
        _written({"a": "x" * 4000})


def test_keys_are_for_their_owner_only(tmp_path):
    file = tmp_path / "keys"
    file.write_bytes(Fernet.generate_key() + b"\n" + Fernet.generate_key() + b"\n")
    file.chmod(0o600)
    read_keys(file)
    file.chmod(0o640)
    with pytest.raises(UnavailableError, match="chmod 600"):
        read_keys(file)


@pytest.mark.parametrize("content", [b"", b"short", "ключ".encode()])
def test_a_file_without_keys_is_refused(tmp_path, content):
    file = tmp_path / "keys"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(UnavailableError, match="holds no keys"):
        read_keys(file)
    with pytest.raises(UnavailableError, match="holds no keys"):
        read_keys(tmp_path / "none")


def test_a_session_that_somebody_planted_is_not_taken():
    sessions = Sessions(COOKIES)
    planted = sessions.read(_request({f"__Host-{COOKIE}": "planted"}))
    assert "planted" not in planted.session_id
    response = Response()
    sessions.write(response, planted.with_content(step=1))
    again = sessions.read(_request({f"__Host-{COOKIE}": _value(response.headers["set-cookie"])}))
    assert (again.session_id, again.content) == (planted.session_id, {"step": 1})


def test_a_step_of_a_login_gets_a_new_id():
    before = new_session({"step": 1})
    after = new_session(before.content)
    assert after.session_id != before.session_id
    assert form_token(after, "renew") != form_token(before, "renew")


SESSION = Session("s" * 43)


def _body(token, more=""):
    return f"form_token={token}&name=%D0%86{more}".encode()


async def test_a_form_of_ours_is_read():
    request = _request(body=_body(form_token(SESSION, "renew")), sec_fetch_site="same-origin")
    assert await read_form(request, SESSION, "renew") == {"name": "І"}


@pytest.mark.parametrize(
    "token",
    ["", "x" * 43, form_token(Session("other"), "renew"), form_token(SESSION, "withdraw")],
)
async def test_a_form_without_its_token_is_denied(token):
    with pytest.raises(DeniedError, match="too old"):
        await read_form(_request(body=_body(token)), SESSION, "renew")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_form_from_another_site_is_denied_even_with_its_token(site):
    request = _request(body=_body(form_token(SESSION, "renew")), sec_fetch_site=site)
    with pytest.raises(DeniedError, match="another site"):
        await read_form(request, SESSION, "renew")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("&name=2", "twice"),
        ("&a=%ff", "cannot be read"),
        ("&ґ=1", "cannot be read"),
        ("&a=1" * 101, "cannot be read"),
        ("&a=" + "x" * (64 << 10), "too long"),
    ],
)
async def test_a_form_that_no_browser_sends_is_refused(more, says):
    request = _request(body=_body(form_token(SESSION, "renew"), more))
    with pytest.raises(InvalidRequestError, match=says):
        await read_form(request, SESSION, "renew")
