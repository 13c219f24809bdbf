"""Posting to addresses that partners choose: where it goes, whom it believes, what it costs us."""

import asyncio
import dataclasses
import time
from contextlib import asynccontextmanager

import pytest

from grpc_api.jobs.kinds import GiveUpError, TryLaterError
from grpc_api.jobs.posting import CheckedBackend, Limits, Message, Poster, Trust
from signer_core.errors import InvalidRequestError
from tests.fakes.partner_server import NAME, Authority, serving

SHORT = Limits(connect_s=0.5, read_s=0.5, total_s=1.0, answer_bytes=1000)
HEADERS = (("Content-Type", "application/json"), ("Idempotency-Key", "ab" * 16))
BODY = b'{"status":"approved"}'
NOT_PUBLIC = "does not lead to a public address"


class Names:
    """A DNS whose answers a test writes; it answers each question with the next one."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    async def __call__(self, host, port):
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
async def partner(authority):
    async with serving(authority.issue(NAME)) as server:
        yield server


@asynccontextmanager
async def posting(authority, names=None, limits=SHORT, **trust):
    sandbox = {"ca_file": authority.path, "allow_private": True} | trust
    poster = Poster(Trust(**sandbox), names or Names(["127.0.0.1"]), limits)
    try:
        yield poster
    finally:
        await poster.close()


def message(server, host=NAME, scheme="https", path="/callbacks?from=signer"):
    return Message(f"{scheme}://{host}:{server.port}{path}", HEADERS, BODY)


async def test_what_is_sent_is_what_was_given(authority, partner):
    async with posting(authority) as poster:
        await poster.post(message(partner))
        await poster.post(message(partner))
    first, second = partner.received
    head, _, body = first.partition(b"\r\n\r\n")
    assert (first, body) == (second, BODY)
    assert head.split(b"\r\n") == [
        b"POST /callbacks?from=signer HTTP/1.1",
        f"Host: {NAME}:{partner.port}".encode(),
        b"Content-Type: application/json",
        b"Idempotency-Key: " + b"ab" * 16,
        b"Content-Length: 21",
    ]
    assert partner.connections == 1  # kept for the next one


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 410, 429, 500, 503])
async def test_only_2xx_is_success_and_no_redirection_is_followed(authority, partner, status):
    where = f"https://{NAME}:{partner.port}/elsewhere"
    partner.answer = (
        f"HTTP/1.1 {status} X\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode()
    )
    async with posting(authority) as poster:
        with pytest.raises(TryLaterError, match=f"^the partner says {status}$"):
            await poster.post(message(partner))
    assert len(partner.received) == 1


async def test_204_is_success(authority, partner):
    partner.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
    async with posting(authority) as poster:
        await poster.post(message(partner))


async def took(poster, wanted, what):
    start = time.monotonic()
    with pytest.raises(TryLaterError, match=wanted):
        await poster.post(what)
    return time.monotonic() - start


async def test_a_partner_that_hangs_is_left_in_time(authority, partner):
    partner.hangs = True
    async with posting(authority) as poster:
        assert await took(poster, "does not answer in time", message(partner)) < 3


@pytest.mark.parametrize(
    "start", [b"HTTP/1.1 200 OK\r\nX-", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"]
)
async def test_a_slow_drip_is_left_in_time(authority, partner, start):
    partner.pieces, partner.pause_s = [start] + [b"a"] * 400, 0.05
    limits = dataclasses.replace(SHORT, read_s=30)
    async with posting(authority, limits=limits) as poster:
        assert await took(poster, "does not answer in time", message(partner)) < 5


async def test_silence_within_an_answer_is_left_before_the_whole_time(authority, partner):
    partner.pieces, partner.pause_s = [b"HTTP/1.1 200 OK\r\n", b"\r\n"], 20
    limits = dataclasses.replace(SHORT, total_s=60)
    async with posting(authority, limits=limits) as poster:
        assert await took(poster, "does not answer in time", message(partner)) < 5


async def test_a_huge_answer_is_not_read(authority, partner):
    partner.pieces = [b"HTTP/1.1 200 OK\r\nContent-Length: 4000000000\r\n\r\n"] + [b"x" * 500] * 9
    partner.pause_s = 0.01
    async with posting(authority) as poster:
        with pytest.raises(TryLaterError, match="answer is too long"):
            await poster.post(message(partner))


async def test_huge_headers_are_not_read(authority, partner):
    partner.answer = b"HTTP/1.1 200 OK\r\nX-A: " + b"x" * 200_000
    async with posting(authority) as poster:
        with pytest.raises(TryLaterError, match="does not answer in HTTP"):
            await poster.post(message(partner))


async def test_what_is_no_http_is_no_success(authority, partner):
    partner.answer = b"220 mail.partner.example ESMTP\r\n\r\n"
    async with posting(authority) as poster:
        with pytest.raises(TryLaterError, match="does not answer in HTTP"):
            await poster.post(message(partner))


async def test_nobody_there(authority, partner):
    async with posting(authority) as poster:
        with pytest.raises(TryLaterError, match="does not answer"):
            await poster.post(Message(f"https://{NAME}:1/", HEADERS, BODY))


async def test_an_internal_address_is_not_connected_to(authority, partner):
    names = Names(["127.0.0.1"])
    async with posting(authority, names, allow_private=False) as poster:
        with pytest.raises(TryLaterError, match=NOT_PUBLIC):
            await poster.post(message(partner))
        with pytest.raises(TryLaterError, match=NOT_PUBLIC):
            await poster.post(message(partner, host="127.0.0.1"))
    assert partner.connections == 0


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "localhost", "[::1]"]
)
async def test_no_spelling_of_an_internal_address_gets_through(authority, partner, host):
    poster = Poster(Trust(ca_file=authority.path), limits=SHORT)  # this machine's own resolver
    with pytest.raises(TryLaterError, match=f"{NOT_PUBLIC}|has no address"):
        await poster.post(message(partner, host=host))
    await poster.close()
    assert partner.connections == 0


async def test_a_name_with_one_internal_address_is_refused_whole(authority, partner):
    names = Names(["93.184.215.14", "127.0.0.1"])
    async with posting(authority, names, allow_private=False) as poster:
        with pytest.raises(TryLaterError, match=NOT_PUBLIC):
            await poster.post(message(partner))
    assert partner.connections == 0


async def test_a_dns_that_changes_its_answer_changes_nothing(authority, partner, monkeypatch):
    """The address that was checked is the one that is connected to: the name is asked once."""
    names, connected = Names(["93.184.215.14"], ["127.0.0.1"]), []

    class Recorded:
        async def connect_tcp(self, host, port, **_):
            connected.append(host)
            raise TimeoutError

    real = CheckedBackend.__init__

    def init(self, *arguments):
        real(self, *arguments)
        self._backend = Recorded()

    monkeypatch.setattr(CheckedBackend, "__init__", init)
    async with posting(authority, names, allow_private=False) as poster:
        with pytest.raises(TryLaterError, match="in time"):
            await poster.post(message(partner))
        assert (connected, names.asked) == (["93.184.215.14"], [NAME])
        with pytest.raises(TryLaterError, match=NOT_PUBLIC):  # the next try asks anew, and checks
            await poster.post(message(partner))
    assert (connected, partner.connections) == (["93.184.215.14"], 0)


@pytest.mark.parametrize("addresses", [["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "127.0.0.2"]])
async def test_of_two_addresses_the_living_one_is_used(authority, partner, addresses):
    async with posting(authority, Names(addresses)) as poster:
        await poster.post(message(partner))
    assert len(partner.received) == 1


async def test_a_dns_that_hangs_is_left_in_time(authority, partner):
    async def hang(host, port):
        await asyncio.sleep(600)

    limits = dataclasses.replace(SHORT, total_s=60)
    async with posting(authority, hang, limits) as poster:
        assert await took(poster, "does not answer in time", message(partner)) < 3


async def test_a_certificate_of_another_name_is_refused(authority):
    async with serving(authority.issue("other.example")) as server, posting(authority) as poster:
        with pytest.raises(TryLaterError, match="certificate at the partner's address"):
            await poster.post(message(server))
        assert server.received == []


async def test_a_certificate_of_an_unknown_authority_is_refused(authority, tmp_path):
    stranger = Authority(tmp_path, "stranger")
    async with serving(stranger.issue(NAME)) as server, posting(authority) as poster:
        with pytest.raises(TryLaterError, match="certificate at the partner's address"):
            await poster.post(message(server))
        assert server.received == []


async def test_without_a_file_this_machines_authorities_count(authority, partner):
    async with posting(authority, ca_file=None) as poster:
        with pytest.raises(TryLaterError, match="certificate at the partner's address"):
            await poster.post(message(partner))


async def test_a_partner_may_ask_for_our_certificate(authority, tmp_path):
    ours = Authority(tmp_path, "ours")
    cert, key = ours.issue("worker.signer.example")
    async with serving(authority.issue(NAME), clients=ours.path) as server:
        async with posting(authority, client_cert=cert, client_key=key) as poster:
            await poster.post(message(server))
        async with posting(authority) as poster:
            with pytest.raises(TryLaterError):
                await poster.post(message(server))
    assert len(server.received) == 1


async def test_clear_text_stays_on_this_machine_and_in_the_sandbox(authority):
    async with serving(None) as server:
        async with posting(authority) as poster:
            await poster.post(message(server, scheme="http", host="localhost"))
        names = Names(["10.0.0.1"])
        async with posting(authority, names) as poster:
            with pytest.raises(TryLaterError, match="does not lead to this machine"):
                await poster.post(message(server, scheme="http"))
        async with posting(authority, allow_private=False) as poster:
            with pytest.raises(GiveUpError, match="not https"):
                await poster.post(message(server, scheme="http", host="localhost"))
    assert len(server.received) == 1


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
async def test_no_proxy_of_the_environment_is_used(authority, partner, monkeypatch, name):
    monkeypatch.setenv(name, "http://127.0.0.1:1/")
    async with posting(authority) as poster:
        await poster.post(message(partner))


@pytest.mark.parametrize(
    "address",
    [
        "ftp://partner.example/",
        "file:///etc/passwd",
        "gopher://partner.example/",
        "//partner.example/",
        "https:///",
        "https://user:secret@partner.example/",
        "https://partner.example:0/",
        "https://partner.example:99999/",
        "https://partner.example/a b",
        "https://partner.example/\r\nX-Injected: 1",
        "https://partner.example/\n",
        "https://партнер.example/",
        "https://[::1/",
    ],
)
async def test_what_is_no_address_to_post_to_is_given_up(authority, address):
    names = Names(["127.0.0.1"])
    async with posting(authority, names) as poster:
        with pytest.raises(GiveUpError, match="address"):
            await poster.post(Message(address, HEADERS, BODY))
    assert names.asked == []


@pytest.mark.parametrize(
    "header",
    [
        ("Idempotency-Key", "ab\r\nX-Injected: 1"),
        ("Idempotency-Key", "ab\nX-Injected: 1"),
        ("Idempotency-Key", "ab\0"),
        ("Idempotency-Key", ""),
        ("X: 1\r\nY", "1"),
        ("", "1"),
        ("Name", "ім'я"),
        ("Name", "x" * 5000),
    ],
)
async def test_a_header_that_would_be_two_is_given_up(authority, partner, header):
    async with posting(authority) as poster:
        with pytest.raises(GiveUpError, match="header"):
            await poster.post(dataclasses.replace(message(partner), headers=(header,)))
    assert partner.connections == 0


def test_files_that_cannot_be_read_are_named_at_the_start(tmp_path):
    with pytest.raises(InvalidRequestError, match="certificate for callbacks"):
        Poster(Trust(ca_file=tmp_path / "missing.pem"))
    with pytest.raises(InvalidRequestError, match="certificate for callbacks"):
        Poster(Trust(client_cert=tmp_path / "missing.pem"))
