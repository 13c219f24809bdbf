"""The registry of relying parties: one check, one test that only it fails."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from signer_core.errors import (
    DeniedError,
    InvalidRequestError,
    NotFoundError,
    VerificationError,
)
from signer_core.partners.directory import PartnerDirectory
from signer_core.pki.authority import authority_name
from signer_core.pki.registry import issue_registry
from signer_core.pki.relying_party import parse_description, sign_relying_party
from signer_core.signing.relying_parties import record_for, registry_key
from signer_core.storage.signer.partners import PartnerRow
from tests.fakes.pki import issuance, make_hierarchy, new_key

ADDRESS = "https://bank.example/return"
CLAIMS = {
    "id": "bank",
    "name_uk": "Банк",
    "name_en": "Bank",
    "logo_sha256": "0" * 64,
    "return_addresses": [ADDRESS],
    "scopes": ["auth", "profile"],
    "callback_address": "",
    "keys": [],
}
KEY = new_key()
HIERARCHY = make_hierarchy()
NAME = authority_name("Registry", "UA", "Test")
CERTIFICATE = issue_registry(HIERARCHY.root, issuance(), KEY.public_key(), NAME)
RECORD = sign_relying_party(parse_description(CLAIMS).issued(1), KEY)


def sign(header, payload, key=KEY):
    """Sign whatever is asked, ES256."""
    signed = ".".join(map(_base64url, (json.dumps(header).encode(), payload)))
    r, s = utils.decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{_base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


HEADER = {"alg": "ES256", "typ": "relying-party+jwt"}
SIGNED = CLAIMS | {"issued_at": 1}
PAYLOAD = json.dumps(SIGNED).encode()


class Rows:
    """A table of partners with one row."""

    def __init__(self, record=RECORD, partner_id="bank", active=True):
        self.row = PartnerRow(partner_id, record, 1, active=active, sandbox=False)

    async def find(self, partner_id):
        return self.row if partner_id == self.row.partner_id else None


def parties(**changes):
    return PartnerDirectory(Rows(**changes), registry_key([CERTIFICATE]))


async def test_a_record_is_given_out_as_it_was_signed():
    assert await record_for(parties(), "bank", "auth", "") == RECORD
    assert await record_for(parties(), "bank", "auth", ADDRESS) == RECORD


async def test_the_forger_of_these_tests_can_sign_right():
    await parties(record=sign(HEADER, PAYLOAD)).get("bank")


@pytest.mark.parametrize(
    "record",
    [
        sign(HEADER, PAYLOAD, new_key()),
        sign(HEADER | {"typ": "enrolment-authorisation+jwt"}, PAYLOAD),
        sign({"alg": "ES256"}, PAYLOAD),
        sign(HEADER | {"alg": "none"}, PAYLOAD),
        sign(HEADER | {"jwk": {}}, PAYLOAD),
        sign(HEADER, b"[]"),
        sign(HEADER, b"{"),
        sign(HEADER, json.dumps(SIGNED | {"x": 1}).encode()),
        RECORD[:-4],
        "",
    ],
)
async def test_a_record_of_anybody_or_anything_else_is_refused(record):
    with pytest.raises(VerificationError):
        await parties(record=record).get("bank")


async def test_another_partners_record_is_refused():
    with pytest.raises(VerificationError, match="another one's"):
        await parties(partner_id="shop").get("shop")


async def test_a_suspended_partner_is_refused():
    with pytest.raises(DeniedError, match="suspended"):
        await record_for(parties(active=False), "bank", "auth", "")


@pytest.mark.parametrize(
    "certificates", [[], [CERTIFICATE, CERTIFICATE], [HIERARCHY.infrastructure.certificate]]
)
def test_the_registry_has_exactly_one_certificate_of_its_own_kind(certificates):
    with pytest.raises(VerificationError):
        registry_key(certificates)


async def test_an_unknown_id_and_a_foreign_address_are_refused():
    with pytest.raises(NotFoundError):
        await record_for(parties(), "shop", "auth", "")
    with pytest.raises(InvalidRequestError):
        await record_for(parties(), "bank", "auth", ADDRESS + "/")


@pytest.mark.parametrize("kind", ["consent", "documentSigning", "", "aut"])
async def test_a_kind_that_is_not_among_its_scopes_is_refused(kind):
    with pytest.raises(DeniedError, match="may not ask"):
        await record_for(parties(), "bank", kind, "")


@pytest.mark.parametrize("claim", SIGNED)
async def test_a_record_without_a_claim_is_refused(claim):
    less = {name: value for name, value in SIGNED.items() if name != claim}
    with pytest.raises(VerificationError):
        await parties(record=sign(HEADER, json.dumps(less).encode())).get("bank")
