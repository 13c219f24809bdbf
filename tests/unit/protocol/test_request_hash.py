"""signer_core.protocol.request against docs/spec/request-hash.md, by hashlib alone."""

import hashlib

import pytest

from signer_core.errors import ProtocolAbortError
from signer_core.protocol.request import RequestFile, request_hash

ARGUMENTS = {
    "kind": "documentSigning",
    "relying_party": "aaa.bbb.ccc",
    "purpose": "Договір",
    "files": (RequestFile("a.pdf", b"\x11" * 32), RequestFile("б.pdf", b"\x22" * 32)),
    "return_address": "https://x.example/",
    "challenge": b"",
}


def test_the_hash_is_the_one_of_the_specification():
    written_out = (
        b"\x00\x00\x00\x1e" + b"diia-signer/ecdsa2p/v1/request" + b"\x00\x00\x00\x06"
        b"\x00\x00\x00\x0f" + b"documentSigning" + b"\x00\x00\x00\x0b" + b"aaa.bbb.ccc"
        b"\x00\x00\x00\x0e" + "Договір".encode()
        + b"\x00\x00\x00\x5f" + b"\x00\x00\x00\x02"
        + b"\x00\x00\x00\x05" + b"a.pdf" + b"\x00\x00\x00\x20" + b"\x11" * 32
        + b"\x00\x00\x00\x06" + "б.pdf".encode() + b"\x00\x00\x00\x20" + b"\x22" * 32
        + b"\x00\x00\x00\x12" + b"https://x.example/" + b"\x00\x00\x00\x00"
    )  # fmt: skip
    assert request_hash(**ARGUMENTS) == hashlib.sha512(written_out).digest()[:32]


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "certificate"},
        {"relying_party": "aaa.bbb.ccd"},
        {"purpose": "договір"},
        {"files": ARGUMENTS["files"][::-1]},
        {"files": ARGUMENTS["files"][:1]},
        {"files": (RequestFile("c.pdf", b"\x11" * 32), ARGUMENTS["files"][1])},
        {"files": (RequestFile("a.pdf", b"\x12" * 32), ARGUMENTS["files"][1])},
        {"return_address": "https://y.example/"},
        {"challenge": b"\x00" * 32},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_part_changes_the_hash(change):
    assert request_hash(**{**ARGUMENTS, **change}) != request_hash(**ARGUMENTS)


@pytest.mark.parametrize("part", ["kind", "relying_party", "return_address"])
def test_a_part_that_must_be_ascii_is(part):
    with pytest.raises(ProtocolAbortError):
        request_hash(**{**ARGUMENTS, part: "ї"})
