"""What a key may be and do: one line of `softhsm_config/keys.toml`, checked against the token."""

from enum import Enum
from typing import Final, Literal, Self

from pydantic import BaseModel, model_validator

Use = Literal["encrypt", "decrypt", "sign", "verify"]


class KeyKind(Enum):
    """The three kinds of key the vault knows how to use."""

    KEK = "kek"  # encrypts records
    MAC = "mac"  # authenticates rows
    SIGNING = "signing"  # certificates, records, later seals and timestamps


class KeyPolicy(BaseModel, frozen=True, extra="forbid"):
    """How a key is made, and what the start-up test finds again in the token."""

    kind: KeyKind
    mechanism: Literal["AES_GCM", "SHA256_HMAC", "ECDSA"]  # the only one the key may be used with
    bits: int
    uses: tuple[Use, ...]  # of an EC pair: "sign" is the private half's, "verify" the public one's

    @model_validator(mode="after")
    def _is_one_we_can_use(self) -> Self:
        mechanism, uses = _USABLE[self.kind]
        if self.mechanism != mechanism or set(self.uses) != uses or self.bits != 256:
            raise ValueError(f"a {self.kind.value} key is {mechanism}, 256 bits, {sorted(uses)}")
        return self


_USABLE: Final[dict[KeyKind, tuple[str, frozenset[Use]]]] = {
    KeyKind.KEK: ("AES_GCM", frozenset({"encrypt", "decrypt"})),
    KeyKind.MAC: ("SHA256_HMAC", frozenset({"sign", "verify"})),
    KeyKind.SIGNING: ("ECDSA", frozenset({"sign", "verify"})),
}
