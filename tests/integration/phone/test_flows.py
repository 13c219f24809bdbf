from mobile_share import signing
from mobile_share.share_file import ShareStatus
from tests.fakes.citizen import NOW

PIN = "48213"


async def sign(phone, world, request_id, pin=PIN):
    request = await signing.fetch_request(phone, world.signer, request_id, NOW)
    async with signing.prepare(phone, world.signer, request, b"photo") as prepared:
        return await prepared.sign(pin)


async def test_enrolled_phone_signs_three_documents_under_one_pin(enrolled, world):
    request_id = world.signer.ask(enrolled.certificate(), pdfs=3)
    outcome = await sign(enrolled, world, request_id)
    assert (outcome.signatures, outcome.wrong_tries, outcome.is_confirmed) == (3, 0, True)
    stored = enrolled.shares.load()
    assert (stored.epoch, stored.pending, stored.status) == (2, (), ShareStatus.ACTIVE)
