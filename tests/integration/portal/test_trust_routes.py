"""The portal's routes over a signer that answers, refuses or is away."""

import base64
import urllib.parse

import httpx
import pytest

from portal_web.application import make_application
from signer_core.errors import NotFoundError, SignerError, UnavailableError
from signer_core.pki.ocsp import OcspError, error_answer
from signer_core.pki.timestamp import rejection
from signer_core.pki.timestamp_request import TimestampFailure
from tests.fakes.web_trust import ANSWER, Trust

REQUEST = b"\x30\x03\x00\xfb\xef\xbe\xff\xff\xff"  # in base64 with + and /


@pytest.fixture
def trust():
    return Trust()


@pytest.fixture
async def web(trust):
    async def serving():
        return trust.fails is None

    transport = httpx.ASGITransport(make_application(trust, serving), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
        yield client


async def test_an_ocsp_request_in_a_path_may_be_escaped_or_not(web, trust):
    encoded = base64.b64encode(REQUEST).decode()
    assert encoded == "MAMA++++////"
    for path in (encoded, urllib.parse.quote(encoded, safe=""), f"/{encoded}"):
        answer = await web.get(f"/ocsp/{path}")
        assert (answer.status_code, answer.content) == (200, ANSWER)
        assert "max-age=60" in answer.headers["Cache-Control"]
        assert answer.headers["ETag"]
    assert trust.asked == [REQUEST] * 3
    for broken in ("!!", "%FF", "AAA"):
        assert (await web.get(f"/ocsp/{broken}")).content == error_answer(OcspError.MALFORMED)


async def test_what_is_posted_is_kept_by_nobody(web, trust):
    answer = await web.post("/ocsp", content=REQUEST)
    assert answer.headers["Content-Type"] == "application/ocsp-response"
    assert answer.headers["Cache-Control"] == "no-store"
    stamp = await web.post("/tsa", content=REQUEST)
    assert stamp.headers["Content-Type"] == "application/timestamp-reply"
    assert (stamp.content, stamp.headers["Cache-Control"]) == (b"stamp", "no-store")


async def test_what_is_too_long_is_answered_here(web, trust):
    for size in (4097, 10 << 20):
        ocsp = await web.post("/ocsp", content=bytes(size))
        assert ocsp.content == error_answer(OcspError.MALFORMED)
        stamp = await web.post("/tsa", content=bytes(size))
        assert stamp.content == rejection(TimestampFailure.BAD_DATA_FORMAT)
    assert trust.asked == []
    assert (await web.post("/ocsp", content=bytes(4096))).content == ANSWER


@pytest.mark.parametrize(
    ("fails", "ocsp"),
    [
        (UnavailableError("away"), OcspError.TRY_LATER),
        (SignerError("a defect"), OcspError.INTERNAL),
    ],
)
async def test_a_signer_that_fails_is_told_in_the_protocols_words(web, trust, fails, ocsp):
    trust.fails = fails
    for answer in (await web.post("/ocsp", content=REQUEST), await web.get("/ocsp/AAAA")):
        assert (answer.status_code, answer.content) == (200, error_answer(ocsp))
        assert answer.headers["Cache-Control"] == "no-store"
    stamp = await web.post("/tsa", content=REQUEST)
    assert stamp.content == rejection(TimestampFailure.SYSTEM_FAILURE)


@pytest.mark.parametrize(
    ("fails", "status", "code"),
    [
        (NotFoundError("there is none"), 404, "not_found"),
        (UnavailableError("away"), 503, "unavailable"),
        (SignerError("a defect"), 500, "internal"),
        (ValueError("another defect"), 500, "internal"),
    ],
)
async def test_errors_are_problem_details(web, trust, fails, status, code):
    trust.fails = fails
    for path in ("/ca/x.cer", "/crl/x.crl"):
        answer = await web.get(path)
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["type"] == f"urn:diia-signer:error:{code}"
        assert "another defect" not in answer.text
    assert (await web.get("/health")).status_code == 503


async def test_a_crl_has_its_number_as_etag(web, trust):
    first = await web.get("/crl/issuing-ca.crl")
    assert (first.content, first.headers["ETag"]) == (b"list", '"7"')
    for known in ('"7"', 'W/"7"'):
        again = await web.get("/crl/issuing-ca.crl", headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
    for other in ('"8"', '"x"', "", '"' + "9" * 30 + '"'):
        again = await web.get("/crl/issuing-ca.crl", headers={"If-None-Match": other})
        assert again.status_code == 200
