"""A signed PDF taken apart into what OpenSSL checks, without any code of ours that made it."""

import re
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from deploy.supervision import StartError

_BYTE_RANGE = re.compile(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]")


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The newest signature of a PDF."""

    cms: bytes  # DER
    content: bytes  # what it covers: the file without the signature's own place
    certificate: bytes  # PEM, the signer's


def unpack(pdf: bytes) -> Unpacked:
    """Take apart the one signature that covers the whole file.

    Raises:
        StartError: there is not exactly one.
    """
    ranges = [tuple(map(int, found.groups())) for found in _BYTE_RANGE.finditer(pdf)]
    whole = [found for found in ranges if found[0] == 0 and found[2] + found[3] == len(pdf)]
    if len(whole) != 1:
        raise StartError(f"{len(whole)} signatures cover the whole file, expected one")
    _, first, second, length = whole[0]
    place = pdf[first:second].strip(b"<> \r\n")
    cms = _der(bytes.fromhex(place.decode("ascii")))
    content = pdf[:first] + pdf[second : second + length]
    return Unpacked(cms, content, _signer(cms))


def write(folder: Path, unpacked: Unpacked, chain: bytes) -> None:
    """Write `signature.p7s`, `content.bin`, `certificate.pem` and `chain.pem`."""
    (folder / "signature.p7s").write_bytes(unpacked.cms)
    (folder / "content.bin").write_bytes(unpacked.content)
    (folder / "certificate.pem").write_bytes(unpacked.certificate)
    (folder / "chain.pem").write_bytes(chain)


def _der(padded: bytes) -> bytes:
    """Cut the zeros that fill a signature's place; the length stands in the DER header."""
    size = padded[1] & 0x7F
    if padded[0] != 0x30 or not padded[1] & 0x80 or size > 4:
        raise StartError("the signature is not DER")
    return padded[: 2 + size + int.from_bytes(padded[2 : 2 + size], "big")]


def _signer(cms: bytes) -> bytes:
    leaves = [found for found in pkcs7.load_der_pkcs7_certificates(cms) if not _is_ca(found)]
    if len(leaves) != 1:
        raise StartError(f"{len(leaves)} signers' certificates in the signature, expected one")
    return leaves[0].public_bytes(Encoding.PEM)


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False
