"""CMS signed attributes of a PAdES B-B signature (ETSI EN 319 142-1 §6.3), strictly.

Four attributes, each once, each with one value: contentType, messageDigest,
signingCertificateV2 and, if it is there, cmsAlgorithmProtection. No signing time: PAdES keeps it
in the PDF, where `messageDigest` covers it.
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hmac import compare_digest
from typing import Final, NoReturn, Self

from asn1crypto import algos, cms, core, tsp

from signer_core.errors import VerificationError

MAX_BYTES: Final = 1024  # ours take some 200

_REQUIRED: Final = frozenset({"content_type", "message_digest", "signing_certificate_v2"})
_ALLOWED: Final = _REQUIRED | {"cms_algorithm_protection"}

# RFC 6211: the algorithms of the SignerInfo, once more, under the signature.
ALGORITHM_PROTECTION: Final[bytes] = cms.CMSAlgorithmProtection(
    {
        "digest_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
        "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
    }
).dump()


@dataclass(frozen=True, slots=True)
class CmsToBeSigned:
    """Attributes that `verify_cms` found to sign one file of the request, and nothing else."""

    der: bytes  # SET OF Attribute
    digest: bytes  # 32 bytes, SHA-256 of `der`: what ECDSA signs
    file_hash: bytes  # 32 bytes, SHA-256: the file it stands for


def verify_cms(
    der: bytes, *, file_hashes: Collection[bytes], certificate_sha256: bytes
) -> CmsToBeSigned:
    """Check signed attributes against the files of a request and the key's own certificate.

    `file_hashes`: SHA-256 of each file, 32 bytes; give one if the order of a batch is known.
    `certificate_sha256`: SHA-256 of the DER of the signing certificate, 32 bytes.

    1. At most 1 KiB, and DER: encoding what was read gives the same bytes.
    2. The attributes are known, none twice, none of the required missing, one value each.
    3. contentType is id-data.
    4. messageDigest is the hash of one of the files.
    5. signingCertificateV2 names exactly this certificate, by SHA-256, and nothing besides.
    6. cmsAlgorithmProtection, if it is there, says SHA-256 and ECDSA with SHA-256.

    Raises:
        VerificationError: at the first that fails.
    """
    for file_hash in file_hashes:  # these bytes and no others pass 1 to 6
        if der in (
            encode_cms(file_hash, certificate_sha256),
            _BARE.fill(file_hash, certificate_sha256),
        ):
            return CmsToBeSigned(der, hashlib.sha256(der).digest(), file_hash)
    values = _attributes(der)  # 1, 2; from here on it is about what to say
    if values["content_type"] != cms.ContentType("data").dump():  # 3
        _refuse("contain another content type than data")
    file_hash = _file_hash(values["message_digest"], file_hashes)  # 4
    _check_certificate(values["signing_certificate_v2"], certificate_sha256)  # 5
    if values.get("cms_algorithm_protection", ALGORITHM_PROTECTION) != ALGORITHM_PROTECTION:  # 6
        _refuse("name other algorithms than SHA-256 and ECDSA")
    return CmsToBeSigned(der, hashlib.sha256(der).digest(), file_hash)


def encode_cms(file_hash: bytes, certificate_sha256: bytes) -> bytes:
    """Encode the attributes of one file and one certificate, SHA-256 of 32 bytes each."""
    return _PROTECTED.fill(file_hash, certificate_sha256)


def _attributes(der: bytes) -> dict[str, bytes]:
    """Return the DER of each attribute's value by asn1crypto's name of the attribute."""
    if len(der) > MAX_BYTES:
        _refuse("are too long")
    try:
        attributes = cms.CMSAttributes.load(der, strict=True)
        found = list(_single_values(attributes))
        canonical = attributes.dump(force=True)
    # What asn1crypto raises on a type it did not expect depends on where it meets it.
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise VerificationError("the bytes to be signed are not CMS attributes") from error
    if canonical != der:
        _refuse("are not in DER")
    values = dict(found)
    if len(values) != len(found):
        _refuse("contain an attribute twice")
    if not _REQUIRED <= values.keys() <= _ALLOWED:
        _refuse("contain an unknown attribute, or lack one")
    return values


def _single_values(attributes: cms.CMSAttributes) -> Iterator[tuple[str, bytes]]:
    for attribute in attributes:
        if len(attribute["values"]) != 1:
            _refuse("contain an attribute without exactly one value")
        yield attribute["type"].native, attribute["values"][0].dump(force=True)


def _file_hash(message_digest: bytes, file_hashes: Collection[bytes]) -> bytes:
    matches = {h for h in file_hashes if core.OctetString(h).dump() == message_digest}
    if len(matches) != 1:
        _refuse("belong to no file of this request")
    return matches.pop()


def _check_certificate(value: bytes, certificate_sha256: bytes) -> None:
    # One encoding is right: SHA-256 is the DEFAULT and so left out, issuerSerial and policies
    # are optional and add nothing that the hash does not say (RFC 5035 §3).
    if not compare_digest(value, signing_certificate_value(certificate_sha256)):
        _refuse("name another certificate than this key's, or more than one")


def signing_certificate_value(certificate_sha256: bytes) -> bytes:
    """Encode SigningCertificateV2 with one ESSCertIDv2 that holds only the hash (32 bytes)."""
    certificate = tsp.ESSCertIDv2({"cert_hash": certificate_sha256})
    der: bytes = tsp.SigningCertificateV2({"certs": [certificate]}).dump()
    return der


def _refuse(what: str) -> NoReturn:
    raise VerificationError(f"the bytes to be signed {what}")


@dataclass(frozen=True, slots=True)
class _Template:
    """The one DER of the attributes, around its two hashes.

    Which comes first does not depend on the hashes: DER orders by the lengths that stand before.
    """

    before: bytes
    between: bytes
    after: bytes

    @classmethod
    def make(cls, *, protected: bool) -> Self:
        """Let asn1crypto encode it once, around two marks."""
        digest, certificate = b"\xaa" * 32, b"\xbb" * 32
        parts = {
            "content_type": cms.ContentType("data"),
            "message_digest": core.OctetString(digest),
            "signing_certificate_v2": tsp.SigningCertificateV2.load(
                signing_certificate_value(certificate)
            ),
        }
        if protected:
            protection = cms.CMSAlgorithmProtection.load(ALGORITHM_PROTECTION)
            parts["cms_algorithm_protection"] = protection
        der = cms.CMSAttributes(
            [cms.CMSAttribute({"type": kind, "values": [value]}) for kind, value in parts.items()]
        ).dump()
        before, rest = der.split(digest)
        between, after = rest.split(certificate)
        return cls(before, between, after)

    def fill(self, digest: bytes, certificate: bytes) -> bytes:
        """Put two hashes, of 32 bytes each, into their places."""
        return b"".join((self.before, digest, self.between, certificate, self.after))


_PROTECTED: Final = _Template.make(protected=True)
_BARE: Final = _Template.make(protected=False)
