"""The portal with its page for developers, and a signer that makes partners in memory."""

from dataclasses import dataclass, field

from cryptography.fernet import Fernet, MultiFernet

from grpc_api.clients.partners import MadePartner, NewSandboxPartner
from portal_web.application import make_application
from portal_web.developers.routes import DeveloperParts
from portal_web.sessions.cookies import SealedCookies
from portal_web.sessions.session import Sessions
from tests.fakes.web_trust import Trust

PUBLIC_URL = "https://sign.example"
MADE = MadePartner("sandbox-abcdefgh2345", "s" * 43, "aaa.bbb.ccc" * 30)


@dataclass
class Partners:
    """What stands behind the page; it may raise instead."""

    fails: Exception | None = None
    made: MadePartner = MADE
    asked: list[NewSandboxPartner] = field(default_factory=list)

    async def create_sandbox(self, new: NewSandboxPartner) -> MadePartner:
        self.asked.append(new)
        if self.fails is not None:
            raise self.fails
        return self.made


def make_portal(partners: Partners):
    async def serving():
        return True

    cookies = SealedCookies(MultiFernet([Fernet(Fernet.generate_key())]), is_secure=False)
    developers = DeveloperParts(partners, Sessions(cookies), PUBLIC_URL)
    return make_application(Trust(), serving, developers=developers)
