"""What a partner may ask for: `NewOffer.check`, by its recipe."""

import dataclasses
import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer_core.errors import InvalidRequestError
from signer_core.protocol.request_kind import RequestKind
from signer_core.sharing.offers.new_offer import NewFile, NewOffer

STATEMENT = "a login at the bank, v1\nbank"
CHALLENGE = hashlib.sha256(STATEMENT.encode()).digest()
LOGIN = NewOffer(
    caller="portal.internal",
    idempotency_key="key",
    relying_party_id="bank",
    kind="auth",
    purpose="Вхід",
    return_address="",
    challenge=CHALLENGE,
    statement=STATEMENT,
    ttl_s=0,
    initiator="Firefox",
    same_device=False,
    person_code="",
)
FILE = NewFile("договір.docx", hashlib.sha256(b"file").digest(), b"file", "text/plain")
FILES = dataclasses.replace(
    LOGIN, kind="hashedFilesSigning", challenge=b"", statement="", files=(FILE,)
)


def numbered(count):
    return tuple(NewFile(f"{n}.txt", hashlib.sha256(b"%d" % n).digest()) for n in range(count))


@pytest.mark.parametrize(
    "good",
    [
        LOGIN,
        dataclasses.replace(LOGIN, statement=""),
        dataclasses.replace(LOGIN, kind="consent"),
        dataclasses.replace(LOGIN, kind="antibot", statement=""),
        FILES,
        dataclasses.replace(FILES, files=numbered(64)),
    ],
)
def test_each_kind_passes(good):
    assert good.check() is RequestKind(good.kind)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": "documentSigning"}, "one of the kinds"),
        ({"kind": "certificate"}, "one of the kinds"),
        ({"kind": "keyRevocation"}, "one of the kinds"),
        ({"kind": ""}, "one of the kinds"),
        ({"purpose": ""}, "purpose"),
        ({"purpose": "п" * 301}, "purpose"),
        ({"purpose": "gift \u202eelif"}, "purpose"),
        ({"initiator": "x" * 201}, "initiator"),
        ({"initiator": "Fire\x1b[2Jfox"}, "initiator"),
        ({"idempotency_key": "k" * 65}, "idempotency key"),
        ({"ttl_s": 29}, "86400 seconds"),
        ({"ttl_s": 86_401}, "86400 seconds"),
    ],
)
def test_1_what_is_not_allowed_is_refused(changes, says):
    with pytest.raises(InvalidRequestError, match=says):
        dataclasses.replace(LOGIN, **changes).check()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"challenge": b""}, "32 bytes"),
        ({"challenge": CHALLENGE[:-1]}, "32 bytes"),
        ({"challenge": CHALLENGE + b"\0"}, "32 bytes"),
        ({"challenge": bytes(32)}, "not the SHA-256"),
        ({"statement": STATEMENT + "!"}, "not the SHA-256"),
        ({"kind": "consent", "statement": ""}, "has a statement"),
        ({"kind": "antibot"}, "has no statement"),
        ({"files": (FILE,)}, "only hashedFilesSigning"),
    ],
)
def test_2_a_challenge_that_does_not_fit_is_refused(changes, says):
    with pytest.raises(InvalidRequestError, match=says):
        dataclasses.replace(LOGIN, **changes).check()


@pytest.mark.parametrize("statement", ["a\u202eb", "a\rb", "a\x00b", " a", "я" * 2049])
def test_2_a_statement_that_no_screen_shows_as_it_is_is_refused(statement):
    challenge = hashlib.sha256(statement.encode()).digest()
    with pytest.raises(InvalidRequestError, match="statement"):
        dataclasses.replace(LOGIN, statement=statement, challenge=challenge).check()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ((), "1 to 64 files"),
        (numbered(65), "1 to 64 files"),
        ((FILE, dataclasses.replace(FILE, name="інший.docx")), "same hash"),
        ((FILE, NewFile(FILE.name.upper(), bytes(32))), "same name"),
        ((dataclasses.replace(FILE, file_hash=b""),), "32 bytes"),
        ((dataclasses.replace(FILE, file_hash=FILE.file_hash[:-1]),), "32 bytes"),
        ((dataclasses.replace(FILE, document=b"other"),), "does not have the hash"),
        ((dataclasses.replace(FILE, media_type="text"),), "media type"),
        ((dataclasses.replace(FILE, media_type="text/html\r\nX: y"),), "media type"),
    ],
)
def test_3_files_that_do_not_fit_are_refused(files, says):
    with pytest.raises(InvalidRequestError, match=says):
        dataclasses.replace(FILES, files=files).check()


@pytest.mark.parametrize("changes", [{"challenge": CHALLENGE}, {"statement": "text"}])
def test_3_files_have_no_challenge(changes):
    with pytest.raises(InvalidRequestError, match="no challenge"):
        dataclasses.replace(FILES, **changes).check()


@pytest.mark.parametrize(
    "name",
    ["../a", "/etc/passwd", "a/b", "a\\b", ".", "..", ".bashrc", "a\nb", "a\x00", "a\u202ecod.exe",
     "a\u200bb", " a", "a ", "", "a" * 201, "\u2066a", "a\u2028b", "\ud800"],
)  # fmt: skip
def test_3_a_name_with_tricks_is_refused(name):
    with pytest.raises(InvalidRequestError):
        dataclasses.replace(FILES, files=(dataclasses.replace(FILE, name=name),)).check()


@given(st.text(max_size=40))
def test_3_every_name_that_passes_is_fit_to_be_shown_and_written(name):
    try:
        dataclasses.replace(FILES, files=(dataclasses.replace(FILE, name=name),)).check()
    except InvalidRequestError:
        return
    assert name == name.strip()
    assert not name.startswith(".")
    assert not set("/\\") & set(name)
    assert all(unicodedata.category(one) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for one in name)


@given(st.sampled_from([f.name for f in dataclasses.fields(NewOffer)][2:]))
def test_the_fingerprint_covers_all_but_who_asks(changed):
    values = {"kind": "consent", "ttl_s": 60, "same_device": True, "challenge": bytes(32)}
    values["files"] = (FILE,)
    other = dataclasses.replace(LOGIN, **{changed: values.get(changed, "other")})
    is_same = other.origin().fingerprint == LOGIN.origin().fingerprint
    # a partner's idempotency keys are its own: the row is unique for each partner
    assert is_same == (changed == "relying_party_id")
