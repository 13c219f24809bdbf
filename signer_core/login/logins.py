"""The signer's side of a login: codes, tokens, and what a person agreed to tell."""

import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from signer_core.errors import DeniedError, InvalidRequestError, NotFoundError
from signer_core.login.claims import identity_claims, person_code, signature_claim
from signer_core.login.model import (
    CODE_S,
    MAX_ASSERTION_S,
    MAX_PARAMETERS,
    PUSHED_S,
    TOKEN_S,
    Login,
)
from signer_core.login.ports import ApprovedOffers, LoginKey, SignedChallenge, VaultLogin
from signer_core.login.statement import LoginStatement, parse_statement
from signer_core.signing.relying_parties import RelyingParties
from signer_core.storage.signer.logins import LoginRows

_NOT_GOOD: Final = "this code or token is not good, or no longer"
_PROTOCOL: Final = frozenset({"iss", "iat", "exp", "acr", "amr", "at_hash"})
_FORGET_EVERY_S: Final = 30.0
_CHALLENGE_CHARACTERS: Final = 43  # base64url of a SHA-256
_JTI_CHARACTERS: Final = 255


@dataclass(slots=True)
class Sweep:
    """When what is over was last deleted. Mutable: that is what it is for."""

    due: float = 0.0

    def take(self) -> bool:
        """Tell whether it is time, and count it as done."""
        now = time.monotonic()
        is_due, self.due = now >= self.due, max(self.due, now + _FORGET_EVERY_S)
        return is_due


@dataclass(frozen=True, slots=True)
class Logins:
    """Every code, token and reference is random and kept as its hash."""

    rows: LoginRows
    offers: ApprovedOffers
    relying_parties: RelyingParties
    vault: VaultLogin
    clock: Callable[[], datetime]  # UTC
    sweep: Sweep = field(default_factory=Sweep)

    async def push(self, client_id: str, parameters: str) -> str:
        """Keep the parameters of an authorization request for 60 s; return the reference."""
        if len(parameters) > MAX_PARAMETERS or not parameters.isprintable():
            raise InvalidRequestError("the parameters are too long, or no JSON in one line")
        reference = secrets.token_urlsafe(32)
        await self.rows.push(hash_of(reference), client_id, parameters, self._now_s() + PUSHED_S)
        if self.sweep.take():
            await self.rows.forget(self._now_s())
        return reference

    async def take(self, client_id: str, reference: str) -> str:
        """Return pushed parameters, once.

        Raises:
            NotFoundError: there are none, they are another client's, taken or expired.
        """
        found = await self.rows.take(hash_of(reference), client_id, self._now_s())
        if found is None:
            raise NotFoundError("this request was used, or is older than a minute: begin again")
        return found

    async def use_assertion(self, client_id: str, jti: str, expires_at_s: int) -> None:
        """Use up a client assertion.

        Raises:
            DeniedError: it was used before.
            InvalidRequestError: it lives for over an hour: it would have to be kept as long.
        """
        if not 1 <= len(jti) <= _JTI_CHARACTERS:
            raise InvalidRequestError("a jti has 1 to 255 characters")
        if expires_at_s > self._now_s() + MAX_ASSERTION_S:
            raise InvalidRequestError("an assertion lives for at most an hour")
        used = hash_of(f"{client_id}\0{jti}")
        # Kept a minute longer than it is good: clocks of the portal and ours differ.
        if not await self.rows.use_assertion(used, expires_at_s + CODE_S, client_id):
            raise DeniedError("this assertion was used before")

    async def issue_code(
        self, offer: "OfferClaim", statement_text: str, code_challenge: str
    ) -> str:
        """Collect an approved offer, and make a code of it.

        1. The statement is one, and the PKCE challenge has its form.
        2. The person signed exactly this statement, for the partner that it names.
        3. What is told is what the statement names and the partner's record allows, from the
           certificate.
        4. One offer becomes one login.

        Raises:
            InvalidRequestError: 1.
            DeniedError: 2, 3 or 4, or another collector has the offer.
        """
        statement = parse_statement(statement_text)  # 1
        if len(code_challenge) != _CHALLENGE_CHARACTERS or not code_challenge.isprintable():  # 1
            raise InvalidRequestError("a code challenge (S256) has 43 characters")
        signed = await self.offers.collect(offer.offer_id, offer.collector, offer.return_code)
        if signed.challenge != statement.challenge or signed.client_id != statement.client_id:  # 2
            raise DeniedError("the person has signed something else")
        record = await self.relying_parties.get(statement.client_id)
        if not set(statement.data) <= set(record.party.scopes):  # 3
            raise DeniedError("this partner may not be told so much")
        login = await self._login(offer.offer_id, statement, signed, code_challenge)  # 3
        code = secrets.token_urlsafe(32)
        until_s = self._now_s() + CODE_S
        await self.rows.add(login, hash_of(code), until_s, until_s + TOKEN_S)  # 4
        return code

    async def redeem(self, client_id: str, code: str) -> Login:
        """Use up a code; a second time ends the login.

        Raises:
            NotFoundError: it is not good, or another client's.
        """
        found = await self.rows.redeem(hash_of(code), client_id, self._now_s())
        if found is None:
            raise NotFoundError(_NOT_GOOD)
        return found

    async def issue_tokens(
        self, login_id: bytes, client_id: str, token_hash: bytes, protocol: str
    ) -> str:
        """Remember an access token and return the ID token, once a login.

        Of the ID token the portal says only what `_PROTOCOL` names: it cannot say who it is about.

        Raises:
            NotFoundError: the code was not redeemed, has a token, or was used twice.
            InvalidRequestError: the claims are not of the protocol.
        """
        if len(token_hash) != 32:
            raise InvalidRequestError("the hash of a token has 32 bytes")
        claims = _parse(protocol)
        login = await self.rows.find_redeemed(login_id, client_id)
        if login is None:
            raise NotFoundError(_NOT_GOOD)
        payload = json.dumps(claims | _about(login), ensure_ascii=False).encode()
        token = await self.vault.sign_id_token(payload)
        if not await self.rows.set_token(login_id, token_hash, self._now_s() + TOKEN_S):
            raise NotFoundError(_NOT_GOOD)
        return token

    async def find_token(self, token_hash: bytes) -> Login:
        """Return what an access token is good for.

        Raises:
            NotFoundError: nothing.
        """
        found = await self.rows.find_token(token_hash, self._now_s())
        if found is None:
            raise NotFoundError(_NOT_GOOD)
        return found

    async def end(
        self, client_id: str, *, token_hash: bytes | None = None, login_id: bytes | None = None
    ) -> None:
        """End a login; harmless where there is none."""
        await self.rows.end(client_id, token_hash=token_hash, login_id=login_id)

    async def keys(self) -> Sequence[LoginKey]:
        """Return the keys that ID tokens are signed with."""
        return await self.vault.keys()

    async def _login(
        self, login_id: bytes, statement: LoginStatement, signed: SignedChallenge, challenge: str
    ) -> Login:
        certificate = signed.chain[0]
        subject = await self.vault.pairwise_subject(statement.client_id, person_code(certificate))
        claims = {"sub": encode(subject), **identity_claims(certificate, statement.data)}
        signature = signature_claim(statement.text, signed.cades, signed.chain)
        return Login(
            login_id=login_id,
            client_id=statement.client_id,
            redirect_uri=statement.redirect_uri,
            scope=statement.scope,
            nonce=statement.nonce,
            code_challenge=challenge,
            auth_time_s=signed.approved_at_s,
            claims=json.dumps(claims, ensure_ascii=False),
            signature=json.dumps(signature, ensure_ascii=False),
        )

    def _now_s(self) -> int:
        return int(self.clock().timestamp())


@dataclass(frozen=True, slots=True)
class OfferClaim:
    """What shows that somebody may collect an offer."""

    offer_id: bytes  # 16 bytes
    collector: bytes = field(repr=False)  # 32 bytes
    return_code: bytes = field(default=b"", repr=False)  # 16 bytes, of an offer of the same device


def hash_of(secret: str) -> bytes:
    """Return what is kept of a code, token or reference: 256 random bits need no salt."""
    return sha256(secret.encode()).digest()


def encode(data: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _parse(protocol: str) -> dict[str, Any]:
    claims: Any = None
    with suppress(ValueError, RecursionError):
        claims = json.loads(protocol)
    if not isinstance(claims, dict) or not claims.keys() <= _PROTOCOL:
        raise InvalidRequestError("these are no claims of the protocol")
    return claims


def _about(login: Login) -> dict[str, Any]:
    """Return what an ID token says of a login and of a person."""
    about: dict[str, Any] = {
        "aud": login.client_id,
        "auth_time": login.auth_time_s,
        "sid": encode(login.login_id),
    }
    if login.nonce:
        about["nonce"] = login.nonce
    about |= json.loads(login.claims)
    about["diia_signature"] = json.loads(login.signature)
    return about
