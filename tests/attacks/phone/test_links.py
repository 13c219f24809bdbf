"""Links with tricks: to another place, in another spelling, with something behind."""

import pytest

from mobile_share.claiming import claim_link, find_way_back, only_code
from mobile_share.links import parse_offer_link
from mobile_share.pictures import read_qr_codes
from mobile_share.signing import fetch_request
from signer_core.errors import InvalidRequestError, VerificationError
from tests.fakes.citizen import NOW
from tests.fakes.phone_offers import PUBLIC_URL, STEP

ID, CODE = "A" * 21 + "A", "B" * 21 + "A"
QR = f"{PUBLIC_URL}/o/{ID}?t={STEP}&c={CODE}"
BUTTON = f"{PUBLIC_URL}/o/{ID}?d={CODE}"


def test_both_forms_are_read():
    assert parse_offer_link(QR, PUBLIC_URL).step_s == STEP
    assert parse_offer_link(BUTTON, PUBLIC_URL).step_s == 0


@pytest.mark.parametrize(
    "link",
    [
        QR.replace("sign.example", "evil.example"),
        QR.replace("sign.example", "sign.example.evil.example"),
        QR.replace("sign.example", "sign.example@evil.example"),
        QR.replace("sign.example", "sign.example:443"),
        QR.replace("sign.example", "sign.example."),
        QR.replace("sign.example", "SIGN.example"),
        QR.replace("sign.example", "sіgn.example"),  # a Cyrillic і
        QR.replace("https://sign.example", "https://evil.example/https://sign.example"),
        QR.replace("https", "http"),
        QR.replace("https", "javascript"),
        QR.replace("https://sign.example", "https:\\\\sign.example"),
        QR.replace("https://sign.example", "//sign.example"),
        QR.replace("/o/", "/x/../o/"),
        " " + QR,
        "",
        "otpauth://totp/x",
        QR + "x" * 600,
    ],
)
def test_a_link_to_another_place_is_not_opened(link):
    with pytest.raises(VerificationError, match="another place"):
        parse_offer_link(link, PUBLIC_URL)


@pytest.mark.parametrize(
    "link",
    [
        QR + "&x=1",
        QR + "#x",
        QR + "\n",
        QR + "/",
        QR.replace("?t=", "/?t="),
        QR.replace(f"t={STEP}&c={CODE}", f"c={CODE}&t={STEP}"),
        QR.replace(f"t={STEP}", "t=0"),
        QR.replace(f"t={STEP}", f"t=0{STEP}"),
        QR.replace(f"t={STEP}", "t=-1"),
        QR.replace(f"t={STEP}", "t=١"),  # a digit of another script
        QR.replace(f"t={STEP}", "t=9999999999999999999"),
        QR.replace(CODE, "%42" + CODE[1:]),  # says the same, percent-encoded
        QR.replace(CODE, CODE[:-1] + "B"),  # says the same 16 bytes in another spelling
        QR.replace(CODE, CODE[:-1]),
        QR.replace(CODE, CODE + "=="),
        QR.replace(ID, ID[:-1] + "/"),
        QR.replace(ID, "../" + ID[3:]),
        BUTTON + f"&t={STEP}",
        BUTTON.replace("d=", "r="),
        f"{PUBLIC_URL}/o/{ID}/return?r={CODE}",
        f"{PUBLIC_URL}/o/",
    ],
)
def test_another_form_is_not_taken(link):
    with pytest.raises(InvalidRequestError, match="no link of an offer"):
        parse_offer_link(link, PUBLIC_URL)


def test_a_phone_whose_deployment_names_no_place_opens_nothing():
    with pytest.raises(VerificationError):
        parse_offer_link(QR, "")
    with pytest.raises(VerificationError):
        parse_offer_link(f"/o/{ID}?d={CODE}", "")


async def test_nothing_is_sent_for_a_link_to_another_place(enrolled, world):
    offer = world.signer.offers.make("auth")
    with pytest.raises(VerificationError):
        await claim_link(enrolled, world.signer, offer.qr(public_url="https://evil.example"))
    assert offer.request_id is None


async def test_a_false_partner_of_a_claimed_offer_is_refused(enrolled, world):
    forged = world.pki.relying_party(key=world.pki.root.key, scopes=["auth"])
    offer = world.signer.offers.make("auth", relying_party=forged)
    request_id = await claim_link(enrolled, world.signer, offer.qr())
    with pytest.raises(VerificationError, match="registry did not sign"):
        await fetch_request(enrolled, world.signer, request_id, NOW)


WAYS = [
    "https://evil.example/o/{id}/return?r={code}",
    "https://sign.example/o/{other}/return?r={code}",
    "https://sign.example/o/{id}/return?r={code}&x=1",
    "https://sign.example/o/{id}/return?r={code}\n",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("way", WAYS)
async def test_a_way_back_to_another_place_is_not_opened(enrolled, world, way):
    offer = world.signer.offers.make("auth", same_device=True)
    request_id = await claim_link(enrolled, world.signer, offer.button())
    request = await fetch_request(enrolled, world.signer, request_id, NOW)
    shown_id = offer.way_back().split("/")[4]

    async def lie(_):
        return way.format(id=shown_id, other=ID, code=CODE)

    world.signer.get_return_url = lie
    with pytest.raises(VerificationError, match="another place"):
        await find_way_back(enrolled, world.signer, request)


def test_of_several_codes_none_is_chosen():
    with pytest.raises(InvalidRequestError, match="several"):
        only_code((QR, BUTTON))
    with pytest.raises(InvalidRequestError, match="no QR code"):
        only_code(())


def test_a_picture_that_is_too_large_is_not_read():
    with pytest.raises(InvalidRequestError, match="8 MiB"):
        read_qr_codes(bytes((8 << 20) + 1))


def test_a_picture_with_too_many_dots_is_not_unpacked():
    header = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (50_000).to_bytes(4, "big") * 2
    with pytest.raises(InvalidRequestError):
        read_qr_codes(header + b"\x08\x00\x00\x00\x00" + b"\x00" * 4)
