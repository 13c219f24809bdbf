"""Making, finding and inspecting keys: exactly one of a label and a class, or an error."""

from struct import pack, unpack
from typing import Any, Final

from asn1crypto.core import OctetString
from cryptography.hazmat.primitives.asymmetric import ec
from pkcs11.attributes import AttributeMapper
from pkcs11.constants import Attribute, MechanismFlag, ObjectClass
from pkcs11.mechanisms import KeyType, Mechanism
from pkcs11.types import Key, Session
from pkcs11.util.ec import encode_named_curve_parameters

from hsm_module.token.errors import TokenFault, TokenFaultError
from hsm_module.token.policy import KeyKind, KeyPolicy, Use

_FLAGS: Final[dict[Use, MechanismFlag]] = {
    "encrypt": MechanismFlag.ENCRYPT,
    "decrypt": MechanismFlag.DECRYPT,
    "sign": MechanismFlag.SIGN,
    "verify": MechanismFlag.VERIFY,
}
_USES: Final[dict[Attribute, Use | None]] = {
    Attribute.ENCRYPT: "encrypt",
    Attribute.DECRYPT: "decrypt",
    Attribute.SIGN: "sign",
    Attribute.VERIFY: "verify",
    Attribute.WRAP: None,
    Attribute.UNWRAP: None,
    Attribute.DERIVE: None,
}
_GUARDED: Final = {
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.MODIFIABLE: False,
    Attribute.COPYABLE: False,
}
_BORN_INSIDE: Final = {  # set by the token itself: made here, and never readable since
    Attribute.LOCAL: True,
    Attribute.ALWAYS_SENSITIVE: True,
    Attribute.NEVER_EXTRACTABLE: True,
}
_CLASSES: Final = {
    KeyKind.KEK: ObjectClass.SECRET_KEY,
    KeyKind.MAC: ObjectClass.SECRET_KEY,
    KeyKind.SIGNING: ObjectClass.PRIVATE_KEY,
}
_SECRET_TYPES: Final = {KeyKind.KEK: KeyType.AES, KeyKind.MAC: KeyType.GENERIC_SECRET}


def attribute_mapper() -> AttributeMapper:
    """Return python-pkcs11's mapper, taught the one attribute it lacks."""
    mapper = AttributeMapper()
    mapper.register_handler(  # an array of CK_ULONG
        Attribute.ALLOWED_MECHANISMS,
        lambda mechanisms: pack(f"{len(mechanisms)}L", *mechanisms),
        lambda data: list(unpack(f"{len(data) // 8}L", data)),
    )
    return mapper


def make_key(session: Session, label: str, policy: KeyPolicy) -> None:
    """Make a key in the token, non-extractable, for the uses and mechanism of its policy."""
    flags = MechanismFlag(0)
    for use in policy.uses:
        flags |= _FLAGS[use]
    guarded = _GUARDED | {Attribute.ALLOWED_MECHANISMS: [Mechanism[policy.mechanism]]}
    if policy.kind is KeyKind.SIGNING:
        _make_pair(session, label, flags, guarded)
    else:
        session.generate_key(
            _SECRET_TYPES[policy.kind],
            policy.bits,
            label=label,
            store=True,
            capabilities=flags,
            template=guarded,
        )


def _make_pair(session: Session, label: str, flags: MechanismFlag, guarded: dict[Any, Any]) -> None:
    parameters = session.create_domain_parameters(
        KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}, local=True
    )
    parameters.generate_keypair(
        label=label,
        store=True,
        capabilities=flags,
        public_template={Attribute.MODIFIABLE: False, Attribute.PRIVATE: False},
        private_template=guarded,
    )


def discard_key(session: Session, label: str) -> None:
    """Destroy every object of a label: what a killed ceremony left, never a key in use."""
    for found in list(session.get_objects({Attribute.LABEL: label})):
        found.destroy()


def find_key(session: Session, label: str, object_class: ObjectClass) -> Key:
    """Return the only key of this label and class.

    Raises:
        TokenFaultError: there is none, or more than one.
    """
    # The list is exhausted on purpose: an abandoned search stays open in the token
    found = list(session.get_objects({Attribute.CLASS: object_class, Attribute.LABEL: label}))
    if not found:
        raise TokenFaultError(TokenFault.KEY_MISSING, f"the token has no key {label!r}")
    if len(found) > 1:
        raise TokenFaultError(TokenFault.AMBIGUOUS, f"the token has {len(found)} keys {label!r}")
    key = found[0]
    if not isinstance(key, Key):
        raise TokenFaultError(TokenFault.KEY_ALTERED, f"{label!r} in the token is not a key")
    return key


def find_private(session: Session, label: str, kind: KeyKind) -> Any:
    """Return the secret or private key of a label; its methods depend on its kind."""
    return find_key(session, label, _CLASSES[kind])


def read_public_key(session: Session, label: str) -> ec.EllipticCurvePublicKey:
    """Return the public half as the token has it: worth believing only at the ceremony."""
    point = find_key(session, label, ObjectClass.PUBLIC_KEY)[Attribute.EC_POINT]
    raw = bytes(OctetString.load(point))
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)


def check_attributes(session: Session, label: str, policy: KeyPolicy) -> None:
    """Check that a key is guarded and limited as its policy says.

    Raises:
        TokenFaultError: the key is missing, or any attribute differs.
    """
    key = find_private(session, label, policy.kind)
    wanted = _GUARDED | _BORN_INSIDE | {Attribute.ALLOWED_MECHANISMS: [Mechanism[policy.mechanism]]}
    pair = policy.kind is KeyKind.SIGNING
    for attribute, use in _USES.items():
        if not (pair and attribute in {Attribute.ENCRYPT, Attribute.VERIFY, Attribute.WRAP}):
            wanted[attribute] = use in policy.uses
    for attribute, value in wanted.items():
        if key[attribute] != value:
            raise TokenFaultError(
                TokenFault.KEY_ALTERED,
                f"key {label!r} is not guarded as its policy says: {attribute.name} differs",
            )
