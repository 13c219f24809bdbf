"""Roles, and how long another process remembers them."""

import pytest

from signer_core.admin.access import REMEMBERED_S, Access, verify_role
from signer_core.admin.officers import Grounds, Officer, OfficerClaim, Reason, Role
from signer_core.admin.officers import check_officer_id as check
from signer_core.errors import DeniedError, InvalidRequestError

CLAIM = OfficerClaim("anna", bytes(32))


def officer(role=Role.OFFICER, *, active=True):
    return Officer("anna", role, bytes(32), active, 0)


class Table:
    def __init__(self, found):
        self.found, self.asked = found, 0

    async def find_officer(self, claim):
        self.asked += 1
        return self.found


@pytest.mark.parametrize(
    ("who", "changes", "may"),
    [
        (officer(), True, True),
        (officer(), False, True),
        (officer(Role.AUDITOR), False, True),
        (officer(Role.AUDITOR), True, False),
        (officer(active=False), False, False),
        (None, False, False),
    ],
)
def test_who_may_what(who, changes, may):
    if may:
        assert verify_role(who, changes=changes) is who
        return
    with pytest.raises(DeniedError):
        verify_role(who, changes=changes)


async def test_a_removed_officer_is_out_after_five_seconds():
    now, table = [1.0], Table(officer())
    access = Access(table, lambda: now[0])
    await access.verify(CLAIM, changes=True)
    table.found = None
    now[0] += REMEMBERED_S - 0.1
    await access.verify(CLAIM, changes=True)
    assert table.asked == 1
    now[0] += 0.2
    with pytest.raises(DeniedError):
        await access.verify(CLAIM, changes=False)
    assert table.asked == 2


async def test_another_key_is_another_claim():
    table = Table(officer())
    access = Access(table, lambda: 1.0)
    await access.verify(CLAIM, changes=True)
    await access.verify(OfficerClaim("anna", b"\1" * 32), changes=True)
    assert table.asked == 2


@pytest.mark.parametrize("wrong", ["", "a", "Anna", "1anna", "an na", "a" * 33, "анна", "a/b"])
def test_an_id_fits_into_certificates_events_and_file_names(wrong):
    with pytest.raises(InvalidRequestError):
        check(wrong)


@pytest.mark.parametrize("wrong", ["two words", "Олена", "x" * 65, "a\nb"])
def test_a_ticket_holds_no_free_text(wrong):
    with pytest.raises(InvalidRequestError):
        Grounds(Reason.DRILL, wrong)
