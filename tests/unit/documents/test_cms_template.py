"""The CMS from the template against pyHanko's, which is the reference, field by field."""

import asyncio
import hashlib

import pytest
from asn1crypto import cms
from asn1crypto.keys import PrivateKeyInfo
from asn1crypto.x509 import Certificate
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.sign import SimpleSigner
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signer_core.documents import signed_attributes
from signer_core.documents.cms import CmsTemplate, assemble_cms, verify_parts
from tests.fakes.citizen import Citizen

FILE = hashlib.sha256(b"file").digest()


def reference(citizen, certificates):
    """Let pyHanko make a PAdES B-B signature of the same file by the same key."""
    store = SimpleCertificateStore()
    store.register_multiple([Certificate.load(one) for one in certificates[1:]])
    key = citizen.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    signer = SimpleSigner(
        signing_cert=Certificate.load(certificates[0]),
        signing_key=PrivateKeyInfo.load(key),
        cert_registry=store,
        embed_roots=True,
    )
    attributes = PdfCMSSignedAttributes()
    made = signer.async_sign(
        FILE, "sha256", use_pades=True, signed_attr_settings=attributes, is_pdf_sig=True
    )
    return asyncio.run(made)


def ours(citizen, certificates, timestamp=None):
    attributes = signed_attributes(FILE, certificates[0])
    signature = citizen.sign(attributes)
    parts = verify_parts(attributes, signature, file_hash=FILE, certificate=certificates[0])
    return cms.ContentInfo.load(
        assemble_cms(parts, signature, certificates, timestamp), strict=True
    )


@pytest.mark.parametrize("length", [1, 2, 3])
def test_every_field_is_pyhankos(citizen, length):
    chain = (*citizen.chain, *citizen.trust_roots)[:length]
    theirs, made = reference(citizen, chain), ours(citizen, chain)
    assert made["content_type"].native == theirs["content_type"].native
    for field in ("version", "digest_algorithms", "encap_content_info", "certificates", "crls"):
        assert made["content"][field].dump() == theirs["content"][field].dump(), field
    (signer,), (their_signer,) = made["content"]["signer_infos"], theirs["content"]["signer_infos"]
    for field in ("version", "sid", "digest_algorithm", "signature_algorithm"):
        assert signer[field].dump() == their_signer[field].dump(), field
    assert signer["unsigned_attrs"].native == their_signer["unsigned_attrs"].native
    check_attributes(by_type(signer), by_type(their_signer))


def by_type(signer):
    return {one["type"].native: one["values"] for one in signer["signed_attrs"]}


def check_attributes(mine, theirs):
    """The same, but for one that may be left out on either side: each knows what it must."""
    protection = mine.pop("cms_algorithm_protection")[0].native  # RFC 6211: pyHanko leaves it out
    assert protection["digest_algorithm"]["algorithm"] == "sha256"
    assert protection["signature_algorithm"]["algorithm"] == "sha256_ecdsa"
    (ours,), (reference,) = mine["signing_certificate_v2"], theirs["signing_certificate_v2"]
    (named,), (also,) = ours["certs"], reference["certs"]
    assert named["cert_hash"].native == also["cert_hash"].native
    assert named["hash_algorithm"].native == also["hash_algorithm"].native
    assert named["issuer_serial"].native is None  # RFC 5035: the hash says it all
    assert mine.keys() == theirs.keys()
    for kind in ("content_type", "message_digest"):
        assert mine[kind].dump() == theirs[kind].dump(), kind


def test_the_protected_algorithm_is_the_signers_byte_by_byte(citizen):
    signer = ours(citizen, citizen.chain)["content"]["signer_infos"][0]
    (protection,) = by_type(signer)["cms_algorithm_protection"]
    assert protection["digest_algorithm"].dump() == signer["digest_algorithm"].dump()


def test_it_is_der(citizen):
    made = ours(citizen, citizen.chain)
    assert made.dump(force=True) == made.dump()


@pytest.mark.parametrize("length", [8, 9, 70, 71, 72, 127, 128, 255, 256, 65_536])
def test_lengths_are_right_whatever_the_signature_is_long(citizen, length):
    template = CmsTemplate.make(citizen.chain)
    attributes = signed_attributes(FILE, citizen.certificate)
    made = cms.ContentInfo.load(template.fill(attributes, b"\x01" * length), strict=True)
    assert made.dump(force=True) == made.dump()
    assert made["content"]["signer_infos"][0]["signature"].native == b"\x01" * length


def test_a_timestamp_is_the_only_unsigned_attribute(citizen):
    token = ours(citizen, citizen.chain).dump()  # any ContentInfo will do
    made = ours(citizen, citizen.chain, token)
    (attribute,) = made["content"]["signer_infos"][0]["unsigned_attrs"]
    assert attribute["type"].native == "signature_time_stamp_token"
    assert attribute["values"][0].dump() == token


def test_the_template_of_one_person_has_no_other_persons_name(citizen):
    other = Citizen.make()
    assert CmsTemplate.make(other.chain) != CmsTemplate.make(citizen.chain)
    made = ours(other, other.chain)
    issuer = made["content"]["signer_infos"][0]["sid"].chosen["issuer"]
    assert issuer == Certificate.load(other.certificate).issuer
