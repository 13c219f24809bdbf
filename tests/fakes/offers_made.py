"""Offers and phones that claim them, for tests of the signer."""

import dataclasses
import hashlib
import secrets
import subprocess

from grpc_api.clients.offers import HashedFile, NewOffer
from signer_core.protocol.offer_link import OfferLink, qr_code, same_device_code
from signer_core.protocol.request_kind import RequestKind

STATEMENT = "a login at the bank, v1\nhttps://sign.example\nbank"
COLLECTOR = b"c" * 32
CHALLENGE = hashlib.sha256(STATEMENT.encode()).digest()


def auth_offer(**changes):
    offer = NewOffer(
        relying_party_id="bank",
        kind=RequestKind.AUTH,
        purpose="Вхід до кабінету",
        idempotency_key=secrets.token_hex(8),
        challenge=CHALLENGE,
        statement=STATEMENT,
        initiator="Firefox, Київ",
    )
    return dataclasses.replace(offer, **changes)


def files_offer(files=None, **changes):
    files = [hashed("договір.docx", b"contract")] if files is None else files
    kind = RequestKind.HASHED_FILES_SIGNING
    return auth_offer(kind=kind, challenge=b"", statement="", files=files, **changes)


def hashed(name, content, *, sent=True, media_type="text/plain"):
    digest = hashlib.sha256(content).digest()
    return HashedFile(name, digest, content if sent else b"", media_type if sent else "")


def qr(offer, step_s):
    code = qr_code(offer.link_secret, offer.offer_id, step_s)
    return OfferLink(offer.offer_id, step_s, code)


def same_device(offer):
    return OfferLink(offer.offer_id, 0, same_device_code(offer.link_secret, offer.offer_id))


def now_s(world):
    return int(world.clock().timestamp())


async def claim(world, phone, offer):
    return await phone.client.claim_offer(qr(offer, now_s(world)))


async def approved(world, phone, offers, **changes):
    """Make a login that a phone has approved."""
    offer = await offers.create(auth_offer(**changes))
    await sign(world, phone, await claim(world, phone, offer))
    return offer


async def sign(world, phone, request_id):
    """Let the fake vault sign what the phone was shown, and the signer follow."""
    shown = await phone.client.get_request(request_id)
    world.vault.sign(request_id, [file.to_be_signed for file in shown.files])
    await world.collection.follow(request_id)


def assert_openssl_accepts(signature, content, result, folder):
    """Let OpenSSL check a detached CAdES against nothing but its content and the root."""
    (folder / "signature.der").write_bytes(signature)
    (folder / "content").write_bytes(content)
    (folder / "root.der").write_bytes(result.chain[-1])
    root = ["openssl", "x509", "-inform", "DER", "-in", folder / "root.der", "-out"]
    subprocess.run([*root, folder / "root.pem"], check=True)
    verify = ["openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER"]
    files = ["-in", folder / "signature.der", "-content", folder / "content"]
    trust = ["-CAfile", folder / "root.pem", "-purpose", "any", "-out", folder / "verified"]
    done = subprocess.run([*verify, *files, *trust], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (folder / "verified").read_bytes() == content
