"""docs/spec/offer-link.md: codes by an independent route, and every form a link may have."""

import base64
import hashlib
import hmac
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_core.errors import InvalidRequestError
from signer_core.protocol.offer_link import (
    MAX_LINK_CHARACTERS,
    OfferLink,
    parse_link,
    parse_short,
    qr_code,
    qr_link,
    return_code,
    return_link,
    same_device_code,
    same_device_link,
    short,
    verification_number,
)

SECRET, OFFER_ID, STEP_S = bytes(range(32)), bytes(range(16)), 1_795_964_400
URL = "https://sign.example"
IDS = st.binary(min_size=16, max_size=16)
STEPS = st.integers(1, 2**63 - 1)


def by_openssl(label, step_s):
    message = b"diia-signer/offer/v1/" + label + b"\0" + OFFER_ID + step_s.to_bytes(8, "big")
    command = ["openssl", "mac", "-digest", "SHA256", "-macopt", f"hexkey:{SECRET.hex()}", "HMAC"]
    done = subprocess.run(command, input=message, capture_output=True, check=True)
    return bytes.fromhex(done.stdout.decode().strip())[:16]


@pytest.mark.parametrize(
    ("code", "label", "step_s"),
    [
        (qr_code(SECRET, OFFER_ID, STEP_S), b"qr", STEP_S),
        (same_device_code(SECRET, OFFER_ID), b"same-device", 0),
        (return_code(SECRET, OFFER_ID), b"return", 0),
    ],
)
def test_openssl_makes_the_same_codes(code, label, step_s):
    assert code == by_openssl(label, step_s)


def test_the_verification_number_is_the_last_two_bytes_of_the_hash():
    request_hash = hashlib.sha256(b"request").digest()
    digest = hashlib.sha256(b"diia-signer/offer/v1/number\0" + request_hash).hexdigest()
    assert verification_number(request_hash) == f"{int(digest[-4:], 16) % 10_000:04d}"


@given(st.binary(min_size=32, max_size=32))
def test_the_verification_number_has_four_digits(request_hash):
    number = verification_number(request_hash)
    assert (len(number), number.isascii(), number.isdigit()) == (4, True, True)


@given(IDS, st.binary(min_size=32, max_size=32), STEPS)
def test_a_phone_reads_what_was_drawn(offer_id, secret, step_s):
    drawn = parse_link(qr_link(URL, offer_id, secret, step_s))
    assert drawn == OfferLink(offer_id, step_s, qr_code(secret, offer_id, step_s))
    button = parse_link(same_device_link(URL, offer_id, secret))
    assert button == OfferLink(offer_id, 0, same_device_code(secret, offer_id))


@given(IDS, IDS, st.binary(min_size=32, max_size=32), STEPS, STEPS)
def test_codes_of_other_offers_seconds_and_uses_differ(offer_id, other_id, secret, step, other):
    codes = {
        qr_code(secret, offer_id, step),
        same_device_code(secret, offer_id),
        return_code(secret, offer_id),
        hmac.digest(secret, offer_id + step.to_bytes(8, "big"), "sha256")[:16],
    }
    if other != step:
        codes.add(qr_code(secret, offer_id, other))
    if other_id != offer_id:
        codes |= {qr_code(secret, other_id, step), return_code(secret, other_id)}
    assert len(codes) == 4 + (other != step) + 2 * (other_id != offer_id)


@given(st.binary(min_size=16, max_size=16))
def test_16_bytes_have_one_spelling(data):
    written = short(data)
    assert parse_short(written) == data
    assert written == base64.urlsafe_b64encode(data).decode().rstrip("=")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for last in set(alphabet) - {written[-1]}:
        try:
            assert parse_short(written[:-1] + last) != data
        except ValueError:
            continue


ID, CODE = short(OFFER_ID), short(bytes(16))
GOOD = f"{URL}/o/{ID}?t=5&c={CODE}"


@pytest.mark.parametrize(
    "link",
    [
        "",
        URL,
        f"{URL}/o/{ID}",
        f"{URL}/o/{ID}?t=5",
        f"{URL}/o/{ID}?c={CODE}",
        f"{URL}/o/{ID}?c={CODE}&t=5",
        f"{GOOD}&x=1",
        f"{GOOD}&c={CODE}",
        f"{GOOD}#here",
        f"{GOOD}=",
        f"{URL}/o/{ID}?t=0&c={CODE}",
        f"{URL}/o/{ID}?t=05&c={CODE}",
        f"{URL}/o/{ID}?t=-5&c={CODE}",
        f"{URL}/o/{ID}?t=٥&c={CODE}",
        f"{URL}/o/{ID}?t=9223372036854775808&c={CODE}",
        f"{URL}/o/{ID}?t={10**30}&c={CODE}",
        f"{URL}/o/{ID}?d={CODE[:-1]}",
        f"{URL}/o/{ID}?d={CODE}A",
        f"{URL}/o/{ID}?d={CODE[:-1]}B",
        f"{URL}/o/{ID}/return?r={CODE}",
        f"{URL}/x/o/{ID}?d={CODE}",
        f"{URL}/o/{ID}%2e?d={CODE}",
        f"{URL}/o//{ID}?d={CODE}",
        f"http://sign.example/o/{ID}?d={CODE}",
        f"javascript:alert(1)//o/{ID}?d={CODE}",
        f"file:///o/{ID}?d={CODE}",
        f"https:///o/{ID}?d={CODE}",
        f"https://[::1/o/{ID}?d={CODE}",
        f"{URL}\n/o/{ID}?d={CODE}",
        GOOD + " " * MAX_LINK_CHARACTERS,
        GOOD.replace("sign", "sіgn"),
    ],
)
def test_what_is_no_link_of_an_offer_is_refused(link):
    with pytest.raises(InvalidRequestError, match="no link of an offer"):
        parse_link(link)


@given(st.text())
def test_any_text_is_a_link_or_a_sentence(text):
    for link in (text, GOOD + text, f"{URL}/o/{text}?d={CODE}"):
        try:
            parse_link(link)
        except InvalidRequestError:
            continue


@pytest.mark.parametrize("url", ["http://127.0.0.1:7440", "http://localhost", "http://[::1]:80"])
def test_a_developers_own_machine_needs_no_tls(url):
    assert parse_link(qr_link(url, OFFER_ID, SECRET, 5)).step_s == 5


def test_the_way_back_is_another_address():
    assert return_link(URL, OFFER_ID, SECRET) == (
        f"{URL}/o/{ID}/return?r={short(return_code(SECRET, OFFER_ID))}"
    )
