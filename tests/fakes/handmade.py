"""PDFs written by hand, byte by byte: none of the libraries under test has a part in them."""

import subprocess
import zlib
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_ID = b"/ID [<00112233445566778899aabbccddeeff><00112233445566778899aabbccddeeff>]"
PLAIN_RANGE = b"[0 %010d %010d %010d]"


def pages(extra_catalog: bytes = b"", extra_page: bytes = b"") -> list[bytes]:
    """Objects 1 to 6: catalog, page tree, one page, its text, a font, information."""
    text = b"BT /F1 24 Tf 72 720 Td (One page to be signed) Tj ET"
    return [
        b"<< /Type /Catalog /Pages 2 0 R %s >>" % extra_catalog,
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> %s >>" % extra_page,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Title (One page) /ModDate (D:20260101000000Z) >>",
    ]


def with_table(objects: list[bytes]) -> bytes:
    """A whole file with a classic cross-reference table."""
    pdf = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(pdf))
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return (
        pdf
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
        + b"trailer\n<< /Size %d /Root 1 0 R /Info 6 0 R %s >>\n" % (size, _ID)
        + b"startxref\n%d\n%%%%EOF\n" % len(pdf)
    )


def one_page() -> bytes:
    return with_table(pages())


def hybrid() -> bytes:
    """A table for old readers and, by /XRefStm, a stream for new ones (ISO 32000-1 §7.5.8.4)."""
    plain = one_page()
    at = plain.index(b"xref\n0 7")
    stream = xref_stream(7, 5, plain.index(b"5 0 obj"))
    tail = plain[at:].replace(b"/Size 7", b"/Size 8 /XRefStm %d" % at)
    return (
        plain[:at]
        + stream
        + tail.replace(b"startxref\n%d" % at, b"startxref\n%d" % (at + len(stream)))
    )


def xref_stream(number: int, entry: int, offset: int) -> bytes:
    """A cross-reference stream, as object `number`, with one entry."""
    data = zlib.compress(b"\x01" + offset.to_bytes(3, "big") + b"\x00")
    return (
        b"%d 0 obj\n<< /Type /XRef /Size %d /W [1 3 1] /Index [%d 1] /Filter /FlateDecode"
        b" /Length %d >>\nstream\n%s\nendstream\nendobj\n"
    ) % (number, number + 1, entry, len(data), data)


def append(pdf: bytes, number: int, content: bytes, *, as_hybrid: bool = False) -> bytes:
    """Append a revision that sets object `number`; with a second table if `as_hybrid`."""
    previous = int(pdf[pdf.rindex(b"startxref") :].split()[1])
    size = int(pdf[pdf.rindex(b"/Size") :].split()[1])
    root = pdf[pdf.rindex(b"/Root") :].split()[1]
    at = len(pdf)
    pdf += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    new_size = max(size, number + 1)
    extra = b""
    if as_hybrid:
        extra = b"/XRefStm %d" % len(pdf)
        pdf += xref_stream(new_size, number, at)
        new_size += 1
    start = len(pdf)
    return pdf + (
        b"xref\n%d 1\n%010d 00000 n \ntrailer\n<< /Size %d /Prev %d /Root %s 0 R %s %s >>\n"
        b"startxref\n%d\n%%%%EOF\n"
    ) % (number, at, new_size, previous, root, extra, _ID, start)


def unsigned(
    *, byte_range: bytes = PLAIN_RANGE, in_field: bytes = b"", in_signature: bytes = b""
) -> bytes:
    """A page with an invisible signature field that lacks its CMS: a gap of 4096 bytes.

    `byte_range` is the array with places for three numbers of ten digits.
    """
    zeros = b"<" + b"0" * 8192 + b">"
    signature = (
        b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached %s"
        b" /M (D:20261121120000+00'00') /Contents %s /ByteRange " % (in_signature, zeros)
    )
    field = (
        b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Handmade) /V 8 0 R /P 3 0 R /F 132"
        b" /Rect [0 0 0 0] %s >>" % in_field
    )
    objects = pages(b"/AcroForm << /Fields [7 0 R] /SigFlags 3 >>", b"/Annots [7 0 R]")
    pdf = with_table([*objects, field, signature + byte_range % (0, 0, 0) + b" >>"])
    start = pdf.index(zeros)
    end = start + len(zeros)
    return pdf.replace(byte_range % (0, 0, 0), byte_range % (start, end, len(pdf) - end))


def fill(pdf: bytes, cms: bytes) -> bytes:
    """Put a CMS into the gap of 4096 bytes."""
    zeros = b"0" * 8192
    return pdf.replace(zeros, cms.hex().encode().ljust(8192, b"0"), 1)


def covered(pdf: bytes) -> bytes:
    """The bytes on both sides of the gap."""
    before, _, after = pdf.partition(b"<" + b"0" * 8192 + b">")
    return before + after


def openssl_cms(
    content: bytes, certificate: bytes, key: PrivateKeyTypes, folder: Path, md: str = "sha256"
) -> bytes:
    """Have OpenSSL make a detached CMS with its own signed attributes. `certificate` is DER."""
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "key.pem").write_bytes(pem)
    (folder / "certificate.der").write_bytes(certificate)
    (folder / "content").write_bytes(content)
    to_pem = ["openssl", "x509", "-inform", "DER", "-in", folder / "certificate.der"]
    subprocess.run([*to_pem, "-out", folder / "certificate.pem"], check=True)
    sign = ["openssl", "cms", "-sign", "-binary", "-md", md, "-outform", "DER"]
    files = ["-in", folder / "content", "-signer", folder / "certificate.pem"]
    command = [*sign, *files, "-inkey", folder / "key.pem"]
    return subprocess.run(command, check=True, capture_output=True).stdout
