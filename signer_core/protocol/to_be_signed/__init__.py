"""The bytes a key signs, parsed by phone and vault, each for itself (docs/spec/ecdsa2p.md §6).

A key signs nothing opaque: either CMS signed attributes over a file or the challenge of the
request, or its own PKCS#10 request. Neither verifier believes the other side, the signer or the
document. A seal's key signs CMS attributes only.
"""

from signer_core.protocol.to_be_signed.byte_range import (
    SignatureGap,
    byte_range_digest,
    digest_around,
    find_signature_gap,
)
from signer_core.protocol.to_be_signed.cades_attributes import (
    encode_cades,
    read_cades,
    verify_cades,
)
from signer_core.protocol.to_be_signed.cms_attributes import (
    CmsToBeSigned,
    encode_cms,
    verify_cms,
)
from signer_core.protocol.to_be_signed.pkcs10 import (
    Pkcs10ToBeSigned,
    assemble_pkcs10,
    make_pkcs10_info,
    verify_pkcs10,
)
from signer_core.protocol.to_be_signed.seal_attributes import (
    SealToBeSigned,
    verify_seal,
)

__all__ = [
    "CmsToBeSigned",
    "Pkcs10ToBeSigned",
    "SealToBeSigned",
    "SignatureGap",
    "assemble_pkcs10",
    "byte_range_digest",
    "digest_around",
    "encode_cades",
    "encode_cms",
    "find_signature_gap",
    "make_pkcs10_info",
    "read_cades",
    "verify_cades",
    "verify_cms",
    "verify_pkcs10",
    "verify_seal",
]
