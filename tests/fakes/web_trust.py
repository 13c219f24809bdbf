"""The signer's trust services, made up, for the portal's routes."""

from signer_core.trust.ports import Crl

ANSWER = b"\x30\x82\x01\x00 a signed answer"


class Trust:
    """What stands behind the routes; it may raise instead."""

    def __init__(self):
        self.fails, self.asked = None, []

    async def _say(self, asked, answer):
        self.asked.append(asked)
        if self.fails is not None:
            raise self.fails
        return answer

    async def certificate(self, name):
        return await self._say(name, b"certificate")

    async def crl(self, issuer, known_number=0):
        return await self._say(issuer, None if known_number == 7 else Crl(7, b"list"))

    async def answer_ocsps(self, requests):
        return [await self._say(one, ANSWER) for one in requests]

    async def timestamp(self, request):
        return await self._say(request, b"stamp")
