"""Detached seals: what gets into a CMS, and what never does."""

import hashlib
from datetime import UTC, datetime

import pytest
from asn1crypto import cms

from signer_core.documents import detached_attributes, finish_detached, reopen_cms
from signer_core.errors import InvalidRequestError, VerificationError

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DIGEST = hashlib.sha256(b"content").digest()


def test_a_seal_is_of_the_digest_and_has_no_content(citizen):
    attributes = detached_attributes(DIGEST, citizen.certificate, NOW)
    made = finish_detached(attributes, citizen.sign(attributes), citizen.chain)
    signed = cms.ContentInfo.load(made, strict=True)["content"]
    assert signed["encap_content_info"]["content"].native is None
    values = {
        a["type"].native: a["values"][0].native for a in signed["signer_infos"][0]["signed_attrs"]
    }
    assert values["message_digest"] == DIGEST
    assert values["signing_time"] == NOW


def test_a_signature_of_something_else_gets_into_no_seal(citizen):
    attributes = detached_attributes(DIGEST, citizen.certificate, NOW)
    with pytest.raises(VerificationError):
        finish_detached(attributes, citizen.sign(b"else"), citizen.chain)


def test_taking_it_apart_gives_back_what_it_was_made_of(citizen):
    attributes = detached_attributes(DIGEST, citizen.certificate, NOW)
    signature = citizen.sign(attributes)
    parts = reopen_cms(finish_detached(attributes, signature, citizen.chain) + bytes(100))
    assert (parts.attributes, parts.signature) == (attributes, signature)
    assert list(parts.certificate_chain) == citizen.chain


def test_one_with_a_timestamp_is_not_taken_apart(citizen):
    attributes = detached_attributes(DIGEST, citizen.certificate, NOW)
    signature = citizen.sign(attributes)
    bare = finish_detached(attributes, signature, citizen.chain)
    with pytest.raises(InvalidRequestError, match="timestamp already"):
        reopen_cms(finish_detached(attributes, signature, citizen.chain, bare))


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"\x00" * 100])
def test_what_is_no_cms_is_not_taken_apart(data):
    with pytest.raises(InvalidRequestError):
        reopen_cms(data)
