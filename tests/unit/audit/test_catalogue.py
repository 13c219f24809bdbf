"""The catalogue, its page, and what an event cannot hold."""

import re

import pytest

from scripts.make_audit_events import PAGE, make_page
from signer_core.audit.catalogue import CATALOGUE, PARTS
from signer_core.audit.events import Actor, Event, needs_person
from signer_core.audit.kinds import ANY, ANY_WORD


def test_the_page_is_that_of_the_code():
    assert PAGE.read_text(encoding="utf-8") == make_page(), "run scripts/make_audit_events.py"


def test_names_are_unique_words():
    names = [kind.name for part in PARTS.values() for kind in part]
    assert len(names) == len(set(names)) == len(CATALOGUE)
    words = {word for kind in CATALOGUE.values() for word in (kind.name, *kind.results)}
    words |= {word for kind in CATALOGUE.values() for word in kind.reasons}
    words -= {*ANY_WORD, ""}  # an empty reason: it may have none
    assert [word for word in words if not re.fullmatch(r"[a-z0-9_-]{1,64}", word)] == []


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=lambda kind: kind.name)
def test_alarms_are_words_of_the_event(kind):
    assert kind.needs_person == ANY or kind.needs_person <= {*kind.results, *kind.reasons}
    assert set(kind.about) <= {"key", "request", "subject"}
    assert bool(kind.subject) == ("subject" in kind.about)


def test_an_alarm_is_by_result_or_reason():
    assert needs_person("key-suspended", "suspended", "clone")
    assert not needs_person("key-suspended", "suspended", "owner")
    assert needs_person("row-altered", "refused", "keys")
    assert not needs_person("no-such-event", "done", "")


@pytest.mark.parametrize(
    ("name", "result", "more"),
    [
        ("no-such-event", "done", {}),
        ("sign", "something-else", {}),
        ("key-retired", "retired", {"reason": "boredom"}),
        ("key-retired", "retired", {}),
        ("sign", "signed", {"reason": "owner"}),
        ("sign", "signed", {"key_id": b"short"}),
        ("sign", "signed", {"subject": "Тестова Олена"}),
        ("sign", "signed", {"subject": "two words"}),
        ("sign", "signed", {"source": "x" * 65}),
        ("sign", "signed", {"correlation_id": "not hex"}),
        ("sign", "signed", {"actor": Actor("phone", "with a space")}),
    ],
)
def test_what_is_not_in_the_catalogue_or_no_identifier_cannot_be_raised(name, result, more):
    with pytest.raises(ValueError, match=r"catalogue|identifier|16 bytes"):
        Event(name, result, **more)
