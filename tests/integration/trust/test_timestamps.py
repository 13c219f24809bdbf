"""Timestamps as OpenSSL, pyHanko and rfc3161-client judge them."""

import hashlib
from datetime import timedelta

import pytest
import rfc3161_client
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko_certvalidator import ValidationContext

from hsm_module.trust.timestamping import SHARED_EVERY_MS
from signer_core.pki.timestamp import POLICY
from tests.fakes.trust_world import make_trust, openssl

DATA = b"what is to be stamped"


def request(data=DATA, algorithm="sha256", **more):
    """Return a request in DER, made by asn1crypto."""
    digest = more.pop("digest", None) or hashlib.new(algorithm, data).digest()
    imprint = {"hash_algorithm": {"algorithm": algorithm}, "hashed_message": digest}
    fields = {"version": "v1", "message_imprint": imprint, "cert_req": True, **more}
    return tsp.TimeStampReq(fields).dump()


def failure(answer):
    status = tsp.PKIStatusInfo.load(answer[2:], strict=True)  # all there is in the sequence
    assert status["status"].native == "rejection"
    return status["fail_info"].native


def token_of(answer):
    response = tsp.TimeStampResp.load(answer)
    assert response["status"]["status"].native == "granted"
    return response["time_stamp_token"]


def info_of(answer):
    return token_of(answer)["content"]["encap_content_info"]["content"].parsed.native


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("more", [(), ("-no_nonce",), ("-cert",), ("-tspolicy", POLICY)])
async def test_openssl_accepts_a_timestamp(world, trust, ca_files, algorithm, more):
    (ca_files / "data").write_bytes(DATA)
    query, answer = ca_files / "query.tsq", ca_files / "answer.tsr"
    openssl("ts", "-query", "-data", ca_files / "data", f"-{algorithm}", "-out", query, *more)
    answer.write_bytes(await trust.timestamp(query.read_bytes()))
    (ca_files / "tsa.der").write_bytes(await trust.certificate("tsa"))
    openssl("x509", "-inform", "DER", "-in", ca_files / "tsa.der", "-out", ca_files / "tsa.pem")
    chain = ca_files / "chain.pem"
    chain.write_bytes((ca_files / "below.pem").read_bytes() + (ca_files / "tsa.pem").read_bytes())
    said = openssl(
        *("ts", "-verify", "-queryfile", query, "-in", answer),
        *("-CAfile", ca_files / "root.pem", "-untrusted", chain),
    )
    assert "Verification: OK" in said
    included = len(token_of(answer.read_bytes())["content"]["certificates"] or ())
    assert included == (2 if "-cert" in more else 0)


async def test_rfc3161_client_accepts_a_timestamp(world, trust):
    asked = rfc3161_client.TimestampRequestBuilder().data(DATA).build()
    answer = await trust.timestamp(asked.as_bytes())
    verifier = (
        rfc3161_client.VerifierBuilder.from_request(asked)
        .add_root_certificate(world.authorities.root)
        .build()
    )
    assert verifier.verify_message(rfc3161_client.decode_timestamp_response(answer), DATA)


async def test_pyhanko_accepts_a_timestamp(world, trust):
    answer = await trust.timestamp(request())
    roots = [asn1_x509.Certificate.load(world.authorities.root.public_bytes(Encoding.DER))]
    status = await validate_tst_signed_data(
        token_of(answer)["content"],
        ValidationContext(trust_roots=roots),
        lambda algorithm: hashlib.new(algorithm, DATA).digest(),
    )
    assert status["valid"]
    assert status["intact"]
    assert status["validation_path"] is not None


async def test_a_timestamp_says_what_was_asked_and_when(world, trust):
    before = world.clock.now()
    info = info_of(await trust.timestamp(request(nonce=1 << 511)))
    assert info["nonce"] == 1 << 511
    assert info["policy"] == POLICY
    assert info["message_imprint"]["hashed_message"] == hashlib.sha256(DATA).digest()
    assert info["accuracy"]["seconds"] == 1
    assert before <= info["gen_time"] <= world.clock.now() + timedelta(seconds=1)
    assert info_of(await trust.timestamp(request()))["nonce"] is None


async def test_no_two_timestamps_have_one_serial_number(trust):
    answers = [info_of(await trust.timestamp(request())) for _ in range(20)]
    assert len({info["serial_number"] for info in answers}) == 20


BAD = {
    "nothing": (b"", {"bad_data_format"}),
    "no DER": (b"\xff" * 40, {"bad_data_format"}),
    "ten megabytes": (bytes(10 << 20), {"bad_data_format"}),
    "cut": (request()[:-1], {"bad_data_format"}),
    "more after it": (request() + b"\0", {"bad_data_format"}),
    "MD5": (request(algorithm="md5"), {"bad_alg"}),
    "SHA-1": (request(algorithm="sha1"), {"bad_alg"}),
    "a hash with parameters": (request().replace(b"\x05\x00", b"\x04\x00"), {"bad_data_format"}),
    "a digest too short": (request(digest=bytes(31)), {"bad_data_format"}),
    "version 2": (request(version=2), {"bad_request"}),
    "a huge nonce": (request(nonce=1 << 512), {"bad_request"}),
    "another policy": (request(req_policy="1.2.3.4"), {"unaccepted_policy"}),
    "an extension": (
        request(extensions=[{"extn_id": "1.2.3.4", "extn_value": b"\x05\x00"}]),
        {"unaccepted_extensions"},
    ),
}


@pytest.mark.parametrize("what", BAD)
async def test_a_bad_request_is_refused_in_the_protocols_words(trust, what):
    data, said = BAD[what]
    answer = await trust.timestamp(data)
    assert failure(answer) == said


async def test_openssl_reads_a_refusal(trust, tmp_path):
    answer = tmp_path / "answer.tsr"
    answer.write_bytes(await trust.timestamp(request(algorithm="sha1")))
    said = openssl("ts", "-reply", "-in", answer, "-text")
    assert "unrecognized or unsupported algorithm identifier" in said


@pytest.mark.causes("timestamp-clock")
async def test_a_clock_that_went_back_makes_no_timestamp(world, trust):
    first = info_of(await trust.timestamp(request()))["gen_time"]
    world.clock.ahead_s -= 5
    for _ in range(2):
        assert failure(await trust.timestamp(request())) == {"time_not_available"}
    assert (await world.row("outbox", event="timestamp-clock"))["result"] == "went-back"
    world.clock.ahead_s += 6
    assert info_of(await trust.timestamp(request()))["gen_time"] > first


async def test_a_clock_slewed_back_within_the_accuracy_repeats_the_latest_time(world, trust):
    first = info_of(await trust.timestamp(request()))["gen_time"]
    world.clock.ahead_s -= 1
    assert info_of(await trust.timestamp(request()))["gen_time"] == first


async def test_another_process_and_the_next_start_remember_the_latest_time(world, trust):
    await trust.timestamp(request())
    world.clock.ahead_s += 2 * SHARED_EVERY_MS // 1000
    await trust.timestamp(request())
    world.clock.ahead_s -= SHARED_EVERY_MS // 1000
    restarted = make_trust(world, world.make_process("process-2"))
    assert failure(await restarted.timestamp(request())) == {"time_not_available"}
