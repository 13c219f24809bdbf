"""What a stream may not carry is refused when it arrives, not after all of it is in memory."""

import pytest

from grpc_api.servers.internal_upload import Upload
from signer_core.errors import InvalidRequestError
from tests.fakes.uploads import CHUNK, chunk, file, header, start

MIB = 1 << 20


@pytest.fixture
def upload():
    made = Upload()
    made.take(header())
    return made


def take_all(upload, messages):
    for message in messages:
        upload.take(message)


def test_the_sixty_fifth_file_is_refused_at_its_start(upload):
    for number in range(64):
        take_all(upload, file(f"{number}.pdf", b"%PDF-"))
    with pytest.raises(InvalidRequestError, match="1 to 64"):
        upload.take(start("65.pdf"))


def test_a_file_over_20_mib_is_refused_at_its_start(upload):
    with pytest.raises(InvalidRequestError, match="20 MiB"):
        upload.take(start(size_bytes=20 * MIB + 1))


def test_files_over_100_mib_together_are_refused_at_the_start_of_the_last(upload):
    piece = chunk(bytes(CHUNK))
    for number in range(5):
        upload.take(start(f"{number}.pdf", 20 * MIB))
        take_all(upload, [piece] * (20 * MIB // CHUNK))
    with pytest.raises(InvalidRequestError, match="100 MiB"):
        upload.take(start("6.pdf", 1))


def test_a_byte_more_than_was_said_is_refused_at_once(upload):
    take_all(upload, [start(size_bytes=5), chunk(b"%PDF-")])
    with pytest.raises(InvalidRequestError, match="longer"):
        upload.take(chunk(b"x"))


def test_the_files_are_what_was_sent(upload):
    big = b"%PDF-" + bytes(2 * CHUNK)
    take_all(upload, [*file("a.pdf", big, visible=True, page=2), *file("b.pdf", b"%PDF-")])
    first, second = upload.finish("portal.internal").files
    assert (first.name, first.pdf, first.visible, first.page) == ("a.pdf", big, True, 2)
    assert (second.name, second.pdf, second.visible, second.page) == ("b.pdf", b"%PDF-", False, 0)
