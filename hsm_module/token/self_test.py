"""The test before serving: every key is the one pinned at the ceremony, and works.

SoftHSM keeps no integrity over its files: one flipped bit gives another KEK without a word, or
signatures that verify nowhere.
"""

import hashlib
import hmac

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hsm_module.token.errors import TokenFault, TokenFaultError
from hsm_module.token.manifest import KNOWN_TEXT, Manifest, PinnedKey, known_aad
from hsm_module.token.policy import KeyKind, KeyPolicy
from hsm_module.token.session import TokenSession
from signer_core.errors import VerificationError

_PREHASHED = ec.ECDSA(utils.Prehashed(hashes.SHA256()))


def pin_key(session: TokenSession, label: str, policy: KeyPolicy) -> PinnedKey:
    """Return what is to be pinned of a key just made."""
    return PinnedKey(policy=policy, proof=_proof(session, label, policy.kind))


def _proof(session: TokenSession, label: str, kind: KeyKind) -> bytes:
    match kind:
        case KeyKind.KEK:
            return session.wrap(label, KNOWN_TEXT, known_aad(label))
        case KeyKind.MAC:
            return session.mac(label, KNOWN_TEXT)
        case KeyKind.SIGNING:
            return session.read_public_key(label).public_bytes(
                Encoding.DER, PublicFormat.SubjectPublicKeyInfo
            )


def self_test(session: TokenSession, manifest: Manifest) -> None:
    """Check every key of the manifest.

    1. There is exactly one of its label and class, guarded and limited as its policy says.
    2. A signing key signs what verifies under the pinned public key; a KEK decrypts the pinned
       blob; a MAC key gives the pinned MAC.

    Raises:
        TokenFaultError: at the first key that fails.
    """
    for label, pinned in manifest.keys.items():
        session.check_attributes(label, pinned.policy)  # 1
        try:
            check_key(session, label, pinned)  # 2
        except (VerificationError, InvalidSignature):
            raise TokenFaultError(
                TokenFault.KEY_ALTERED,
                f"key {label!r} is not the one of the ceremony: restore the token from a backup",
            ) from None


def check_key(session: TokenSession, label: str, pinned: PinnedKey) -> None:
    """Use a key once and compare with what is pinned.

    Raises:
        VerificationError, InvalidSignature: it is another key.
    """
    match pinned.policy.kind:
        case KeyKind.KEK:
            if session.unwrap(label, pinned.proof, known_aad(label)) != KNOWN_TEXT:
                raise VerificationError("another text")
        case KeyKind.MAC:
            if not hmac.compare_digest(session.mac(label, KNOWN_TEXT), pinned.proof):
                raise VerificationError("another MAC")
        case KeyKind.SIGNING:
            digest = hashlib.sha256(KNOWN_TEXT).digest()
            pinned.public_key().verify(session.sign_digest(label, digest), digest, _PREHASHED)
