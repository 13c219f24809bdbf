"""`signer-phone open`, `confirm`, `history`: links and pictures, every kind, the way back."""

import dataclasses
import io

import pytest
import segno

from mobile_share.ports import RequestStatus
from tests.fakes.phone_fixtures import PIN
from tests.fakes.phone_offers import STATEMENT, STEP, over


@pytest.fixture
def offers(enrolled, world):
    return world.signer.offers


def id_of(offer):
    return offer.request_id.hex()


def picture(text, path):
    buffer = io.BytesIO()
    segno.make(text).save(buffer, kind="png", scale=6)
    path.write_bytes(buffer.getvalue())
    return path


def test_open_shows_who_what_for_the_statement_and_the_number(run, offers):
    offer = offers.make("auth")
    result = run("open", offer.qr())
    assert result.exit_code == 0, result.output
    for said in ("Банк «Приклад» (Example Bank)", "Вхід до кабінету", "a login", "a hint"):
        assert said in result.output
    for line in STATEMENT.splitlines():
        assert line in result.output
    assert "compare it with the screen where you began" in result.output
    assert f"signer-phone sign {id_of(offer)}" in result.output


def test_open_reads_the_qr_code_of_a_picture(run, offers, tmp_path):
    offer = offers.make("auth")
    result = run("open", picture(offer.qr(), tmp_path / "screen.png"))
    assert result.exit_code == 0, result.output
    assert id_of(offer) in result.output


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n broken"])
def test_open_refuses_what_is_no_picture(run, offers, tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    result = run("open", tmp_path / "file")
    assert result.exit_code == 23
    assert "no picture that can be read" in result.output
    assert "neither a link nor a picture" in run("open", tmp_path / "nothing").output


def test_open_refuses_a_picture_without_a_code(run, offers, tmp_path):
    from PIL import Image  # noqa: PLC0415  for this one picture

    Image.new("L", (200, 200), 255).save(tmp_path / "white.png")
    assert "no QR code" in run("open", tmp_path / "white.png").output


@pytest.mark.parametrize("kind", ["auth", "consent", "hashedFilesSigning"])
def test_each_kind_is_signed_with_the_pin(run, offers, world, kind):
    offer = offers.make(kind, contents={"a.txt": b"text"} if kind == "hashedFilesSigning" else ())
    assert run("open", offer.qr()).exit_code == 0
    result = run("sign", id_of(offer), "--pin-stdin", stdin=f"{PIN}\n")
    assert result.exit_code == 0, result.output
    assert offer.request_id in world.vault.results


def test_documents_that_the_partner_sent_are_saved_after_their_hash_was_checked(
    run, offers, world, tmp_path
):
    offer = offers.make("hashedFilesSigning", contents={"a.txt": b"text", "b.html": b"<b>"})
    folder = tmp_path / "read"
    assert run("open", offer.qr(), "--save", folder).exit_code == 0
    assert {one.name: one.read_bytes() for one in folder.iterdir()} == {
        "01-a.txt": b"text",
        "02-b.html": b"<b>",
    }
    world.signer.documents[offer.request_id][0] = b"another text"
    result = run("show", id_of(offer), "--save", tmp_path / "other")
    assert result.exit_code == 22
    assert not (tmp_path / "other").exists()


def test_a_human_is_confirmed_without_pin_and_signature(run, offers, world):
    offer = offers.make("antibot")
    assert "signer-phone confirm" in run("open", offer.qr()).output
    refused = run("sign", id_of(offer), "--pin-stdin", stdin=f"{PIN}\n")
    assert refused.exit_code == 23
    assert "without PIN" in refused.output
    result = run("confirm", id_of(offer))
    assert result.exit_code == 0, result.output
    assert offer.is_confirmed
    assert offer.request_id not in world.vault.results


def test_confirm_is_for_nothing_else(run, offers):
    offer = offers.make("auth")
    run("open", offer.qr())
    assert run("confirm", id_of(offer)).exit_code == 23


def test_after_the_approval_of_a_same_device_offer_the_way_back_is_shown(run, offers):
    offer = offers.make("auth", same_device=True)
    assert offer.way_back() not in run("open", offer.button()).output
    result = run("sign", id_of(offer), "--pin-stdin", stdin=f"{PIN}\n")
    assert offer.way_back() in result.output
    other = offers.make("auth")
    run("open", other.qr())
    result = run("sign", id_of(other), "--pin-stdin", stdin=f"{PIN}\n")
    assert "Go on" not in result.output


@pytest.mark.parametrize(("step", "exit_code"), [(STEP - 3, 21), (STEP + 2, 21), (STEP - 2, 0)])
def test_a_code_that_is_too_old_or_too_new_is_said(run, offers, step, exit_code):
    result = run("open", offers.make("auth").qr(step))
    assert result.exit_code == exit_code
    assert exit_code == 0 or "too old" in result.output


def test_history_says_what_was_signed_or_declined_for_whom(run, offers, world):
    for kind in ("auth", "antibot"):
        offer = offers.make(kind)
        run("open", offer.qr())
        world.signer.history.append(over(world.signer.requests[offer.request_id]))
    (signed, _) = world.signer.history
    world.signer.history.append(over(signed, RequestStatus.DECLINED))
    result = run("history")
    for said in ("Банк «Приклад»", "signed", "confirmed", "declined", "Вхід до кабінету"):
        assert said in result.output
    forged = world.pki.relying_party(key=world.pki.root.key, name_uk="Чужий")
    world.signer.history[:] = [dataclasses.replace(signed, relying_party=forged)]
    result = run("history")
    assert "REFUSED" in result.output
    assert "Чужий" not in result.output


def test_history_of_a_new_phone_is_empty(run, offers):
    assert "Nothing yet." in run("history").output
