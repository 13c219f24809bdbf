"""Signed statements of the registrar: only what it signed, as it signed it, while it is fresh."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.jwk import ECKey, OctKey

from signer_core.errors import DeniedError, VerificationError
from signer_core.identifiers import DeviceKeyHash, KeyId, RequestId, VaultId
from signer_core.identity.attestation import sign_attestation, verify_attestation
from signer_core.identity.authorisation import (
    EnrolmentAuthorisation,
    sign_authorisation,
    verify_authorisation,
    verify_used_authorisation,
)
from signer_core.identity.relying_party import verify_relying_party
from signer_core.pki.relying_party import RelyingParty, sign_relying_party
from tests.fakes.pki import SUBJECT, new_key
from tests.fixtures.certificates import key_pem

KEY = new_key()
PUBLIC = KEY.public_key()
NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
DEVICE = DeviceKeyHash(b"\xdd" * 32)
REQUEST = RequestId(b"\xaa" * 16)
AUTHORISATION = EnrolmentAuthorisation(
    person_id="zrazkova",
    key_id=KeyId(b"\x11" * 16),
    device_key_hash=DEVICE,
    vault_id=VaultId("vault-1"),
    issued_at_s=NOW_S,
    expires_at_s=NOW_S + 900,
    jti=b"\x22" * 16,
    country="UA",
    subject=SUBJECT,
)
TYPE = "enrolment-authorisation+jwt"


def _claims():
    return json.loads(jws.extract_compact(sign_authorisation(AUTHORISATION, KEY).encode()).payload)


def _signed(claims, header=None):
    header = header or {"alg": "ES256", "typ": TYPE}
    return jws.serialize_compact(header, json.dumps(claims), ECKey.import_key(key_pem(KEY)))


def test_an_authorisation_comes_back_as_it_was():
    token = sign_authorisation(AUTHORISATION, KEY)
    assert verify_authorisation(token, PUBLIC, NOW) == AUTHORISATION


def test_it_has_the_claims_of_the_specification():
    assert _claims() == {
        "person": "zrazkova",
        "key_id": "11" * 16,
        "device_key": "dd" * 32,
        "vault": "vault-1",
        "iat": NOW_S,
        "exp": NOW_S + 900,
        "jti": "22" * 16,
        "subject": {
            "common_name": SUBJECT.common_name,
            "surname": SUBJECT.surname,
            "given_name": SUBJECT.given_name,
            "rnokpp": SUBJECT.rnokpp,
            "unzr": SUBJECT.unzr,
            "country": "UA",
        },
    }


def test_a_printed_authorisation_does_not_name_the_person():
    assert SUBJECT.surname not in repr(AUTHORISATION)


def test_an_authorisation_of_another_key_is_refused():
    with pytest.raises(DeniedError):
        verify_authorisation(sign_authorisation(AUTHORISATION, new_key()), PUBLIC, NOW)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_changed_character_is_refused(part):
    parts = sign_authorisation(AUTHORISATION, KEY).split(".")
    parts[part] = ("B" if parts[part][5] == "A" else "A").join((parts[part][:5], parts[part][6:]))
    with pytest.raises(DeniedError):
        verify_used_authorisation(".".join(parts), PUBLIC)


@pytest.mark.parametrize("missing", [*_claims()])
def test_a_missing_claim_is_refused(missing):
    claims = _claims()
    del claims[missing]
    with pytest.raises(DeniedError):
        verify_used_authorisation(_signed(claims), PUBLIC)


@pytest.mark.parametrize(
    "change",
    [
        {"iat": str(NOW_S)},
        {"exp": NOW_S + 0.5},
        {"admin": True},
        {"key_id": "11" * 15},
        {"key_id": "1G" * 16},
        {"device_key": "DD" * 32},
        {"jti": ""},
        {"subject": {**_claims()["subject"], "admin": "yes"}},
    ],
)
def test_a_claim_of_wrong_form_is_refused(change):
    with pytest.raises(DeniedError):
        verify_used_authorisation(_signed({**_claims(), **change}), PUBLIC)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "ES256"},
        {"alg": "ES256", "typ": "photo-attestation+jwt"},
        {"alg": "ES256", "typ": TYPE, "kid": "other"},
        {"alg": "ES256", "typ": TYPE, "jwk": {"kty": "EC"}},
    ],
)
def test_another_header_is_refused(header):
    with pytest.raises(DeniedError):
        verify_used_authorisation(_signed(_claims(), header), PUBLIC)


def test_no_algorithm_is_taken_from_the_header():
    public = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    payload = json.dumps(_claims())
    hmac = jws.serialize_compact(
        {"alg": "HS256", "typ": TYPE}, payload, OctKey.import_key(public.hex())
    )
    none_header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"%s"}' % TYPE.encode())
    body = base64.urlsafe_b64encode(payload.encode()).rstrip(b"=")
    none = b".".join((none_header.rstrip(b"="), body, b"")).decode()
    for token in (hmac, none):
        with pytest.raises(DeniedError):
            verify_used_authorisation(token, PUBLIC)


def test_a_statement_that_is_too_long_is_refused():
    with pytest.raises(DeniedError):
        verify_used_authorisation(_signed({**_claims(), "person": "x" * 4000}), PUBLIC)


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "є.є.є", "A" * 5000])
def test_what_is_no_statement_is_refused(text):
    with pytest.raises(DeniedError):
        verify_used_authorisation(text, PUBLIC)


@pytest.mark.parametrize(
    ("at_s", "accepted"), [(-31, False), (-30, True), (899, True), (900, False)]
)
def test_an_authorisation_has_its_time(at_s, accepted):
    token = sign_authorisation(AUTHORISATION, KEY)
    at = NOW + timedelta(seconds=at_s)
    if accepted:
        verify_authorisation(token, PUBLIC, at)
    else:
        with pytest.raises(DeniedError):
            verify_authorisation(token, PUBLIC, at)


@pytest.mark.parametrize("lifetime_s", [901, 0, -5])
def test_an_authorisation_of_wrong_lifetime_is_refused(lifetime_s):
    strange = replace(AUTHORISATION, expires_at_s=NOW_S + lifetime_s)
    with pytest.raises(DeniedError):
        verify_authorisation(sign_authorisation(strange, KEY), PUBLIC, NOW - timedelta(seconds=10))


@pytest.mark.parametrize(
    ("age_s", "accepted"), [(-31, False), (-30, True), (300, True), (301, False)]
)
def test_an_attestation_has_its_time(age_s, accepted):
    token = sign_attestation(DEVICE, REQUEST, NOW, KEY)
    at = NOW + timedelta(seconds=age_s)
    if accepted:
        verify_attestation(token, PUBLIC, device_key_hash=DEVICE, request_id=REQUEST, now=at)
    else:
        with pytest.raises(DeniedError):
            verify_attestation(token, PUBLIC, device_key_hash=DEVICE, request_id=REQUEST, now=at)


@pytest.mark.parametrize(
    ("device", "request_id", "key"),
    [
        (DeviceKeyHash(b"\xde" * 32), REQUEST, KEY),
        (DEVICE, RequestId(b"\xab" * 16), KEY),
        (DEVICE, REQUEST, new_key()),
    ],
    ids=["another phone", "another request", "another registrar"],
)
def test_an_attestation_is_for_one_request_on_one_phone(device, request_id, key):
    token = sign_attestation(DEVICE, REQUEST, NOW, KEY)
    with pytest.raises(DeniedError):
        verify_attestation(
            token, key.public_key(), device_key_hash=device, request_id=request_id, now=NOW
        )


def test_an_attestation_that_says_no_is_refused():
    claims = {"device_key": "dd" * 32, "request_id": "aa" * 16, "result": "other", "iat": NOW_S}
    token = _signed(claims, {"alg": "ES256", "typ": "photo-attestation+jwt"})
    with pytest.raises(DeniedError):
        verify_attestation(token, PUBLIC, device_key_hash=DEVICE, request_id=REQUEST, now=NOW)


def test_an_authorisation_is_no_attestation():
    token = sign_authorisation(AUTHORISATION, KEY)
    with pytest.raises(DeniedError):
        verify_attestation(token, PUBLIC, device_key_hash=DEVICE, request_id=REQUEST, now=NOW)


def test_a_relying_party_is_the_registry_s():
    party = RelyingParty(
        id="bank",
        name_uk="Банк",
        name_en="Bank",
        logo_sha256="0" * 64,
        return_addresses=(),
        scopes=("auth",),
        callback_address="",
        keys=(),
        issued_at=1,
    )
    token = sign_relying_party(party, KEY)
    assert verify_relying_party(token, PUBLIC) == party
    with pytest.raises(VerificationError):
        verify_relying_party(token, new_key().public_key())
