"""What the pages need besides the browser: phones, connections, the clock."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from mobile_share.deployment import Deployment
from mobile_share.phone import Phone
from mobile_share.ports import EnrolmentClient, SignerClient
from mobile_share.simulator.sandbox import Sandbox
from mobile_share.simulator.shelf import Shelf
from mobile_share.simulator.web.sessions import Session
from mobile_share.simulator.web.trouble import PageError


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Given to every group of pages; tests give their own."""

    shelf: Shelf
    sandbox: Sandbox
    connect: Callable[[Phone], AbstractAsyncContextManager[SignerClient]]
    connect_enrolment: Callable[[Deployment], AbstractAsyncContextManager[EnrolmentClient]]
    now: Callable[[], datetime]

    def now_s(self) -> int:
        """Return Unix time."""
        return int(self.now().timestamp())

    def phone(self, session: Session) -> Phone:
        """Return the phone that this browser looks at.

        Raises:
            PageError: it has chosen none.
            PhoneError: it cannot be opened.
        """
        if session.phone_id is None:
            raise PageError("error_choose_phone", 303)
        return self.shelf.open(session.phone_id)


def around_of(request: Request) -> Surroundings:
    """Return what `make_application` was given."""
    around = request.app.state.around
    assert isinstance(around, Surroundings)  # noqa: S101  `make_application` sets nothing else
    return around


Around = Annotated[Surroundings, Depends(around_of)]
