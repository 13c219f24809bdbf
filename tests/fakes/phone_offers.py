"""Offers of the honest signer in this process: made, claimed by a link, confirmed, over."""

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from mobile_share.ports import RequestStatus, UntrustedFile
from signer_core.documents.detached import detached_attributes
from signer_core.errors import DeniedError, NotFoundError
from signer_core.identifiers import OfferId, RequestId
from signer_core.protocol.offer_link import (
    qr_code,
    qr_link,
    return_link,
    same_device_code,
    same_device_link,
)
from signer_core.protocol.presence import presence_message
from tests.fakes.citizen import NOW

PUBLIC_URL = "https://sign.example"
STATEMENT = "a login at the bank, v1\nhttps://sign.example\nbank\n-"
STEP = int(NOW.timestamp())


@dataclass
class FakeOffer:
    """What a partner asks of whoever opens the link."""

    offer_id: OfferId
    link_secret: bytes
    kind: str
    fields: dict[str, Any]
    contents: dict[str, bytes]  # documents by their name
    same_device: bool = False
    request_id: RequestId | None = None
    is_confirmed: bool = False

    def qr(self, step_s=STEP, public_url=PUBLIC_URL):
        return qr_link(public_url, self.offer_id, self.link_secret, step_s)

    def button(self, public_url=PUBLIC_URL):
        return same_device_link(public_url, self.offer_id, self.link_secret)

    def way_back(self):
        return return_link(PUBLIC_URL, self.offer_id, self.link_secret)

    def takes(self, link):
        if not link.step_s:
            return self.same_device and link.code == same_device_code(
                self.link_secret, self.offer_id
            )
        is_new = STEP - 2 <= link.step_s <= STEP + 1
        return is_new and link.code == qr_code(self.link_secret, self.offer_id, link.step_s)


@dataclass
class FakeOffers:
    """The offers' side of `FakeSigner`, which makes the requests of them."""

    signer: Any
    by_id: dict[bytes, FakeOffer] = field(default_factory=dict)

    def make(self, kind="auth", contents=(), same_device=False, **fields) -> FakeOffer:
        rng = self.signer.vault.rng
        offer = FakeOffer(OfferId(rng(16)), rng(32), kind, fields, dict(contents), same_device)
        self.by_id[offer.offer_id] = offer
        return offer

    def claim(self, link):
        offer = self.by_id.get(link.offer_id)
        if offer is None:
            raise NotFoundError("there is no such offer")
        if not offer.takes(link):
            raise DeniedError("the code is too old: scan it again")
        offer.request_id = offer.request_id or self._request(offer)
        return offer.request_id

    def of(self, request_id) -> FakeOffer:
        (found,) = [one for one in self.by_id.values() if one.request_id == request_id]
        return found

    def confirm(self, request_id, signature, device_key):
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        message = presence_message(self.signer.vault.requests[request_id])
        device_key.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
        self.of(request_id).is_confirmed = True

    def way_back(self, request_id):
        offer = self.of(request_id)
        if not (offer.is_confirmed or request_id in self.signer.vault.results):
            raise NotFoundError("the offer is not approved")
        return offer.way_back() if offer.same_device else ""

    def _request(self, offer: FakeOffer) -> RequestId:
        (certificate,) = self.signer.certificates()
        leaf = certificate.public_bytes(serialization.Encoding.DER)
        challenge, statement = hashlib.sha256(STATEMENT.encode()).digest(), STATEMENT
        if offer.kind == "hashedFilesSigning":
            files = tuple(
                UntrustedFile(
                    name,
                    hashlib.sha256(content).digest(),
                    detached_attributes(hashlib.sha256(content).digest(), leaf, NOW),
                    len(content),
                    "text/html",
                )
                for name, content in offer.contents.items()
            )
            challenge, statement = b"", ""
        elif offer.kind == "antibot":
            files, statement = (), ""
        else:
            attributes = detached_attributes(challenge, leaf, NOW)
            files = (UntrustedFile("", challenge, attributes, 0),)
        fields = {
            "kind": offer.kind,
            "files": files,
            "challenge": challenge,
            "statement": statement,
            "initiator": "Firefox, Київ",
            "offer_id": offer.offer_id,
            "relying_party": self.signer.pki.relying_party(scopes=[offer.kind]),
            "purpose": "Вхід до кабінету",
        }
        request_id = self.signer.ask(certificate, **(fields | offer.fields))
        self.signer.documents[request_id] = list(offer.contents.values())
        return request_id


def over(request, status=RequestStatus.CONSUMED):
    """A request as history tells of it."""
    return replace(request, status=status, ended_at_s=STEP)
