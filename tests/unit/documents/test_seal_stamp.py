"""The stamp of a sealed copy as a picture: there, upright, legible to a QR reader, over nothing."""

import subprocess
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import zxingcpp

from signer_core.documents import SealStamp, finish_pdf, prepare_seal, signed_attributes
from signer_core.errors import InvalidRequestError
from tests.fakes import handmade
from tests.fakes.signing import sign_pdf

AT = datetime(2026, 11, 21, 14, 5, 6, tzinfo=ZoneInfo("Europe/Kyiv"))
ADDRESS = "https://portal.example/check/7f3a1c9e-2b44-4d0f-9a55-0c1d2e3f4a5b"
MARK = SealStamp(
    "Товариство «Вигадана справа»", "Договір оренди житла, ’їжак’ ґрунт Є", "7-ДЯ/2026", ADDRESS
)
PAGES = {
    "A4": (595, 842, 0, b""),
    "turned right": (595, 842, 90, b""),
    "upside down": (595, 842, 180, b""),
    "turned left": (595, 842, 270, b""),
    "a label": (150, 200, 0, b""),
    "a label turned": (300, 150, 90, b""),
    "a poster": (2384, 3370, 0, b""),
    "cropped": (700, 900, 0, b"/CropBox [50 60 645 802]"),
    "off the origin": (595, 842, 0, b"/CropBox [0 0 595 842]"),
}


def page(width, height, rotation=0, more=b""):
    """A page with a black frame at its very edge."""
    frame = b"4 w 2 2 %d %d re S" % (width - 4, height - 4)
    objects = handmade.pages(extra_page=b"/Rotate %d %s" % (rotation, more))
    objects[2] = objects[2].replace(b"[0 0 595 842]", b"[0 0 %d %d]" % (width, height))
    objects[3] = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(frame), frame)
    return handmade.with_table(objects)


def prepared(pdf, citizen, mark=MARK):
    return prepare_seal(pdf, seal_certificate=citizen.certificate, sealed_at=AT, mark=mark).pdf


class Picture:
    """A page as poppler draws it, in grey."""

    def __init__(self, pdf, folder, dpi=72):
        (folder / "page.pdf").write_bytes(pdf)
        command = ["pdftoppm", "-cropbox", "-gray", "-r", str(dpi), "page.pdf", "page"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        (path,) = folder.glob("page*.pgm")
        _, size, _, self.pixels = path.read_bytes().split(b"\n", 3)
        path.unlink()
        self.width, self.height = map(int, size.split())

    def rows(self, first, last):
        return self.pixels[first * self.width : last * self.width]

    def codes(self):
        grey = memoryview(self.pixels).cast("B", shape=[self.height, self.width])
        return [one.text for one in zxingcpp.read_barcodes(grey)]


def text_of(pdf, folder):
    (folder / "text.pdf").write_bytes(pdf)
    command = ["pdftotext", "-layout", "text.pdf", "-"]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return " ".join(done.stdout.split())


@pytest.mark.parametrize("kind", PAGES)
def test_the_code_is_read_from_the_picture(citizen, tmp_path, kind):
    dpi = 30 if kind == "a poster" else 72
    assert Picture(prepared(page(*PAGES[kind]), citizen), tmp_path, dpi).codes() == [ADDRESS]


@pytest.mark.parametrize("kind", PAGES)
def test_nothing_of_the_page_is_covered_or_moved(citizen, tmp_path, kind):
    pdf, dpi = page(*PAGES[kind]), 30 if kind == "a poster" else 72
    before = Picture(pdf, tmp_path, dpi)
    after = Picture(prepared(pdf, citizen), tmp_path, dpi)
    assert after.width == before.width
    assert after.height > before.height
    edge = before.height - 1  # the last row of pixels may be half of the strip's border
    differing = sum(
        abs(a - b) > 64 for a, b in zip(before.rows(0, edge), after.rows(0, edge), strict=True)
    )
    assert differing <= 2 * before.width  # rounding of the page's edge to pixels


def test_what_was_cropped_away_does_not_show_on_the_strip(citizen, tmp_path):
    shown = page(595, 842, more=b"/CropBox [0 200 595 842]")
    hidden = shown.replace(b"4 w 2 2 591 838 re S", b"0 0 591 190 re f    ")
    assert hidden != shown
    strip = Picture(prepared(hidden, citizen), tmp_path)
    lowest = strip.rows(strip.height - 12, strip.height - 4)
    assert sum(pixel < 128 for pixel in lowest) < strip.width


def test_it_says_when_for_whom_for_what_and_which_copy(citizen, tmp_path):
    said = text_of(prepared(page(595, 842), citizen), tmp_path)
    for words in (
        "Калинова Мар’яна Устимівна",
        "21.11.2026 14:05:06 (UTC+02:00)",
        "Отримувач: Товариство «Вигадана справа»",
        "Мета: Договір оренди житла, ’їжак’ ґрунт Є",
        "Примірник № 7-ДЯ/2026",
        ADDRESS,
    ):
        assert words in said


def test_the_font_is_embedded(citizen, tmp_path):
    (tmp_path / "page.pdf").write_bytes(prepared(page(595, 842), citizen))
    command = ["pdffonts", "page.pdf"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    (font,) = [line for line in done.stdout.splitlines() if "NotoSans" in line]
    assert font.split()[-5:-3] == ["yes", "yes"]  # embedded, subset


def test_a_stamped_seal_is_valid_for_pdfsig_and_qpdf(citizen, tmp_path):
    made = prepare_seal(
        page(595, 842), seal_certificate=citizen.certificate, sealed_at=AT, mark=MARK
    )
    attributes = signed_attributes(made.file_hash, citizen.certificate)
    pdf = finish_pdf(
        made,
        signed_attributes=attributes,
        signature=citizen.sign(attributes),
        certificate_chain=citizen.chain,
    )
    (tmp_path / "page.pdf").write_bytes(pdf)
    for command in (["qpdf", "--check", "page.pdf"], ["pdfsig", "page.pdf"]):
        done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert "Signature is Valid." in done.stdout


def test_a_stamp_on_a_signed_pdf_is_refused(citizen):
    signed = sign_pdf(page(595, 842), citizen)
    with pytest.raises(InvalidRequestError, match="without a visible mark"):
        prepared(signed, citizen)
    assert prepared(signed, citizen, mark=None)


@pytest.mark.parametrize(
    "box", [b"[0 0 0 0]", b"[0 0 595]", b"[0 0 99999 842]", b"[0 0 595 14400]", b"(none)"]
)
def test_a_page_without_a_size_is_refused(citizen, box):
    with pytest.raises(InvalidRequestError):
        prepared(page(595, 842).replace(b"[0 0 595 842]", box.ljust(13)), citizen)


@pytest.mark.parametrize(
    "change",
    [
        {"recipient": ""},
        {"recipient": "x" * 201},
        {"purpose": "  "},
        {"purpose": "x" * 301},
        {"copy_number": ""},
        {"check_address": "http://portal.example/check"},
        {"check_address": "javascript:alert(1)"},
        {"check_address": "https://user@portal.example/"},
        {"check_address": "https://портал.example/"},
        {"check_address": "https://portal.example/" + "x" * 300},
    ],
    ids=str,
)
def test_a_stamp_that_says_nothing_or_too_much_is_refused(change):
    said = {
        "recipient": "Вигадана справа",
        "purpose": "Договір",
        "copy_number": "1",
        "check_address": ADDRESS,
    }
    with pytest.raises(InvalidRequestError):
        SealStamp(**(said | change))
