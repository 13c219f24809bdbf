"""A corrupt signer changes a login, a consent, files by hash, or a sign of being human."""

import dataclasses
import hashlib
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from mobile_share import presence, signing
from mobile_share.ports import UntrustedFile
from signer_core.documents import detached_attributes, signed_attributes
from signer_core.errors import DeniedError, InvalidRequestError, VerificationError
from tests.attacks.phone.test_false_requests import change, change_file, fetch, refused
from tests.fakes.citizen import NOW
from tests.fakes.phone_fixtures import sign
from tests.fakes.phone_pki import der

STATEMENT = "a login at the bank, v1\nhttps://sign.example\nbank"
CHALLENGE = hashlib.sha256(STATEMENT.encode()).digest()
OTHER = hashlib.sha256(b"other").digest()
SCOPES = ["auth", "consent", "hashedFilesSigning", "antibot"]
DOCUMENT = b"a document"
TOO_OLD = timedelta(days=2)


def leaf(phone):
    return phone.certificate().public_bytes(serialization.Encoding.DER)


def to_sign(phone, name, digest, size_bytes=0, at=NOW):
    return UntrustedFile(name, digest, detached_attributes(digest, leaf(phone), at), size_bytes)


def ask(world, phone, kind="auth", files=None, documents=(), **changes):
    """Make an honest request of this kind."""
    fields = {
        "kind": kind,
        "relying_party": world.pki.relying_party(scopes=SCOPES),
        "files": (to_sign(phone, "", CHALLENGE),) if files is None else files,
        "challenge": CHALLENGE,
        "statement": STATEMENT,
        "initiator": "Firefox, Київ",
        "offer_id": b"o" * 16,
    }
    request_id = world.signer.ask(phone.certificate(), 0, **(fields | changes))
    world.signer.documents[request_id] = list(documents)
    return request_id


def ask_files(world, phone, files=None):
    """Ask for two files by their hashes, one of them to read."""
    digest = hashlib.sha256(DOCUMENT).digest()
    both = (to_sign(phone, "a.txt", digest, len(DOCUMENT)), to_sign(phone, "b.bin", OTHER))
    files = both if files is None else files
    kind = "hashedFilesSigning"
    return ask(world, phone, kind, files, [DOCUMENT], challenge=b"", statement="")


def ask_presence(world, phone):
    return ask(world, phone, "antibot", (), statement="")


@pytest.mark.parametrize("kind", ["auth", "consent"])
async def test_an_honest_login_is_shown_and_signed(enrolled, world, kind):
    request_id = ask(world, enrolled, kind)
    shown = await fetch(enrolled, world, request_id)
    assert (shown.statement, shown.challenge, shown.files) == (STATEMENT, CHALLENGE, ())
    assert (len(shown.verification_number), shown.kind) == (4, kind)
    assert (await sign(enrolled, world, request_id)).signatures == 1


async def test_honest_files_are_shown_and_signed(enrolled, world):
    request_id = ask_files(world, enrolled)
    shown = await fetch(enrolled, world, request_id)
    assert [(one.name, one.content) for one in shown.files] == [("a.txt", DOCUMENT), ("b.bin", b"")]
    assert (await sign(enrolled, world, request_id)).signatures == 2


@pytest.mark.parametrize("statement", [STATEMENT + "!", "another", STATEMENT.replace("\n", " ")])
async def test_another_statement_than_is_signed_is_refused(enrolled, world, statement):
    request_id = ask(world, enrolled)
    change(world, request_id, statement=statement)
    await refused(enrolled, world, request_id, VerificationError, "the statement is not the one")


async def test_another_challenge_than_was_registered_gets_no_signature(enrolled, world):
    """Changed whole, it verifies for itself; but the vault compares the hash of what is shown."""
    request_id = ask(world, enrolled)
    change(world, request_id, statement="", challenge=OTHER, files=(to_sign(enrolled, "", OTHER),))
    with pytest.raises(DeniedError, match="not the one that was registered"):  # the vault's word
        await sign(enrolled, world, request_id)


async def test_another_purpose_after_it_was_shown_gets_no_signature(enrolled, world):
    request_id = ask(world, enrolled)
    change(world, request_id, purpose="something else")
    with pytest.raises(DeniedError, match="not the one that was registered"):  # the vault's word
        await sign(enrolled, world, request_id)


async def test_attributes_over_something_else_are_refused(enrolled, world):
    request_id = ask(world, enrolled)
    change(world, request_id, files=(to_sign(enrolled, "", OTHER),))
    await refused(enrolled, world, request_id, VerificationError, "belong to no file")


async def test_attributes_without_a_time_are_refused(enrolled, world):
    request_id = ask(world, enrolled)
    change_file(world, request_id, 0, to_be_signed=signed_attributes(CHALLENGE, leaf(enrolled)))
    await refused(enrolled, world, request_id, VerificationError, "not those of a detached")


async def test_attributes_of_another_certificate_are_refused(enrolled, world):
    request_id = ask(world, enrolled)
    other = detached_attributes(CHALLENGE, der(world.pki.issuing), NOW)
    change_file(world, request_id, 0, to_be_signed=other)
    await refused(enrolled, world, request_id, VerificationError, "another certificate")


@pytest.mark.parametrize("at", [NOW - TOO_OLD, NOW + TOO_OLD], ids=["old", "to come"])
async def test_attributes_of_another_time_are_refused(enrolled, world, at):
    request_id = ask(world, enrolled, files=(to_sign(enrolled, "", CHALLENGE, at=at),))
    await refused(enrolled, world, request_id, VerificationError, "not now")


async def test_a_consent_to_nothing_is_refused(enrolled, world):
    request_id = ask(world, enrolled, "consent", statement="")
    await refused(enrolled, world, request_id, VerificationError, "agrees to nothing")


@pytest.mark.parametrize("kind", ["auth", "consent", "antibot"])
@pytest.mark.parametrize("challenge", [b"", CHALLENGE[:-1], CHALLENGE + b"\0"])
async def test_a_challenge_of_another_size_is_refused(enrolled, world, kind, challenge):
    request_id = ask(world, enrolled, kind, challenge=challenge)
    await refused(enrolled, world, request_id, VerificationError, "wrong size")


async def test_files_with_a_challenge_beside_them_are_refused(enrolled, world):
    request_id = ask_files(world, enrolled)
    change(world, request_id, challenge=CHALLENGE)
    await refused(enrolled, world, request_id, VerificationError, "wrong size")


@pytest.mark.parametrize("kind", ["antibot", "hashedFilesSigning"])
async def test_a_statement_that_nothing_signs_is_refused(enrolled, world, kind):
    is_presence = kind == "antibot"
    request_id = ask_presence(world, enrolled) if is_presence else ask_files(world, enrolled)
    change(world, request_id, statement=STATEMENT)
    await refused(enrolled, world, request_id, VerificationError, "no statement")


async def test_a_file_hidden_behind_a_login_is_refused(enrolled, world):
    login, contract = to_sign(enrolled, "", CHALLENGE), to_sign(enrolled, "contract", OTHER)
    for files in ((login, contract), (contract,), (), (login, login)):
        request_id = ask(world, enrolled, files=files)
        await refused(enrolled, world, request_id, VerificationError, "has no files")


async def test_a_signature_hidden_behind_a_sign_of_being_human_is_refused(enrolled, world):
    request_id = ask_presence(world, enrolled)
    change(world, request_id, files=(to_sign(enrolled, "", CHALLENGE),))
    await refused(enrolled, world, request_id, VerificationError, "has no files")


async def test_another_document_than_its_hash_is_refused(enrolled, world):
    request_id = ask_files(world, enrolled)
    world.signer.documents[request_id] = [b"another one"]
    await refused(enrolled, world, request_id, VerificationError, "not the one that would be")


async def test_the_same_hash_twice_is_refused(enrolled, world):
    files = (to_sign(enrolled, "a", OTHER), to_sign(enrolled, "b", OTHER))
    request_id = ask_files(world, enrolled, files)
    world.signer.documents[request_id] = []
    await refused(enrolled, world, request_id, VerificationError, "twice")


async def test_a_nameless_file_among_hashes_is_refused(enrolled, world):
    request_id = ask_files(world, enrolled, (to_sign(enrolled, "", OTHER),))
    await refused(enrolled, world, request_id, VerificationError, "not a file name")


@pytest.mark.parametrize("kind", SCOPES)
async def test_a_kind_that_is_not_among_the_scopes_is_refused(enrolled, world, kind):
    record = world.pki.relying_party(scopes=[one for one in SCOPES if one != kind])
    request_id = ask(world, enrolled, kind, relying_party=record)
    await refused(enrolled, world, request_id, VerificationError, "may not ask for this kind")


@pytest.mark.parametrize("what", ["statement", "initiator", "purpose"])
@pytest.mark.parametrize("text", ["a\u202eb", "a\x1b[2J", "a\rb", "я" * 4097, "a\u2066"])
async def test_text_that_rewrites_the_screen_is_refused(enrolled, world, what, text):
    request_id = ask(world, enrolled)
    change(world, request_id, **{what: text})
    await refused(enrolled, world, request_id, VerificationError, "cannot be shown")


async def test_a_hint_has_one_line(enrolled, world):
    request_id = ask(world, enrolled, initiator="Firefox\nBank of Ukraine")
    await refused(enrolled, world, request_id, VerificationError, "cannot be shown")


# --- a sign of being human ---


@dataclasses.dataclass
class Confirmed:
    """A signer that keeps what was confirmed."""

    calls: list = dataclasses.field(default_factory=list)

    async def check_photo(self, request_id, photo):
        return "attestation"

    async def confirm_presence(self, request_id, attestation, device_signature):
        self.calls.append((request_id, attestation, device_signature))


async def test_what_is_confirmed_is_what_is_shown(enrolled, world):
    request_id, signer = ask_presence(world, enrolled), Confirmed()
    shown = await fetch(enrolled, world, request_id)
    await presence.confirm(enrolled, signer, shown, b"photo")
    ((confirmed_id, attestation, signature),) = signer.calls
    assert (confirmed_id, attestation) == (request_id, "attestation")
    r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
    message = b"diia-signer/antibot/v1\0" + world.vault.requests[request_id]
    public = enrolled.key_store.device_key().private_key.public_key()
    public.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))


async def test_nothing_else_is_confirmed_without_the_pin(enrolled, world):
    shown, signer = await fetch(enrolled, world, ask(world, enrolled)), Confirmed()
    with pytest.raises(InvalidRequestError, match="with the PIN"):
        await presence.confirm(enrolled, signer, shown, b"photo")
    assert signer.calls == []


async def test_a_sign_of_being_human_asks_for_no_pin(enrolled, world):
    shown = await fetch(enrolled, world, ask_presence(world, enrolled))
    with pytest.raises(InvalidRequestError, match="confirmed, not signed"):
        async with signing.prepare(enrolled, world.signer, shown, b"photo"):
            pass


def login(client, redirect, first="diia-signer login v1", more=""):
    return f"{first}\nissuer: https://sign.example\nclient: {client}\nredirect: {redirect}\n{more}"


async def honest(phone, world):
    """Return what a login at the one who asks names."""
    shown = await fetch(phone, world, ask(world, phone))
    return {"client": shown.relying_party.party_id, "redirect": shown.return_address}


def ask_login(world, phone, statement, kind="auth"):
    """Ask as the made-up bank, whole and honest but for what the statement says."""
    digest = hashlib.sha256(statement.encode()).digest()
    signed = (to_sign(phone, "", digest),)
    return ask(world, phone, kind, signed, statement=statement, challenge=digest)


async def test_a_login_at_the_one_who_asks_is_shown(enrolled, world):
    statement = login(**await honest(enrolled, world))
    request_id = ask_login(world, enrolled, statement)
    assert (await fetch(enrolled, world, request_id)).statement == statement


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"client": "another-bank"}, "auth"),
        ({"redirect": "https://thief.example/return"}, "auth"),
        ({"more": "client: another-bank\n"}, "auth"),
        ({"first": "diia-signer login v2"}, "auth"),
        ({"first": " Diia-Signer login v1"}, "auth"),
        ({}, "consent"),
    ],
)
async def test_a_login_at_somebody_else_is_refused(enrolled, world, changed, kind):
    statement = login(**(await honest(enrolled, world) | changed))
    request_id = ask_login(world, enrolled, statement, kind)
    await refused(enrolled, world, request_id, VerificationError, "login")
