"""docs/flows/trust-services.md, through the portal, with other people's tools."""

import base64
import hashlib
import http.client
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from deploy.demo import checks, unpacked
from deploy.demo.commands import Caller, DemoPhone
from deploy.system import System
from tests.e2e.conftest import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]

FRESH_S = 60  # a CRL after a revocation
MALFORMED = bytes.fromhex("30030a0101")  # RFC 6960 §4.2.1: malformedRequest(1)


@pytest.fixture(scope="module")
def web(system: System) -> str:
    return f"http://127.0.0.1:{system.ports['portal']}"


@pytest.fixture(scope="module")
def folder(system: System, web: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything a verifier downloads, as PEM."""
    made = tmp_path_factory.mktemp("trust")
    wait_for_vault(web)
    (made / "root.pem").write_bytes((system.home.public / "root.pem").read_bytes())
    for name in ("issuing-ca", "device-ca", "infrastructure-ca", "tsa"):
        found = x509.load_der_x509_certificate(get(f"{web}/ca/{name}.cer"))
        (made / f"{name}.pem").write_bytes(found.public_bytes(Encoding.PEM))
    return made


@pytest.fixture(scope="module")
def leaf(portal: Portal, phone: DemoPhone, contract: bytes, folder: Path) -> x509.Certificate:
    """The certificate of whoever signed a PDF."""
    request_id = portal.request([contract])
    phone.sign(request_id)
    pem = unpacked.unpack(portal.signed(request_id)).certificate
    (folder / "leaf.pem").write_bytes(pem)
    return x509.load_pem_x509_certificate(pem)


def wait_for_vault(web: str) -> None:
    """A signer that started first looks for its vault every two seconds."""
    for _ in range(40):
        try:
            get(f"{web}/crl/issuing-ca.crl")
        except urllib.error.HTTPError as error:
            error.close()
            time.sleep(0.5)
        else:
            return
    raise AssertionError("the vault makes no CRL")


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


def openssl(*arguments: object) -> str:
    return run("openssl", *arguments)


def address(leaf: x509.Certificate, method: x509.ObjectIdentifier) -> str:
    places = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    (found,) = [one.access_location.value for one in places if one.access_method == method]
    return found


def download_lists(web: str, folder: Path) -> Path:
    lists = [
        x509.load_der_x509_crl(get(f"{web}/crl/{name}.crl")) for name in ("issuing-ca", "root")
    ]
    path = folder / "lists.pem"
    path.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in lists))
    return path


def verify_chain(web: str, folder: Path) -> str:
    return openssl(
        *("verify", "-x509_strict", "-crl_check_all", "-CRLfile", download_lists(web, folder)),
        *("-CAfile", folder / "root.pem", "-untrusted", folder / "issuing-ca.pem"),
        folder / "leaf.pem",
    )


def ask_ocsp(leaf: x509.Certificate, folder: Path, *more: object) -> str:
    """Ask the address that the certificate names."""
    url = address(leaf, x509.AuthorityInformationAccessOID.OCSP)
    return openssl(
        *("ocsp", *more, "-url", url, "-issuer", folder / "issuing-ca.pem"),
        *("-cert", folder / "leaf.pem", "-CAfile", folder / "root.pem"),
    )


def ocsp_request(leaf: x509.Certificate, folder: Path) -> bytes:
    issuer = x509.load_pem_x509_certificate((folder / "issuing-ca.pem").read_bytes())
    builder = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, hashes.SHA1())
    return builder.build().public_bytes(Encoding.DER)


def post(web: str, path: str, body: bytes) -> tuple[int, str, bytes]:
    place = web.removeprefix("http://")
    with closing(http.client.HTTPConnection(place, timeout=20)) as connection:
        connection.request("POST", path, body)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()


def test_every_certificate_of_a_chain_says_where_its_list_is(
    web: str, leaf: x509.Certificate, folder: Path
) -> None:
    """OpenSSL finds the lists by itself: that of the issuing CA, and the root's."""
    assert leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints)
    root = x509.load_der_x509_crl(get(f"{web}/crl/root.crl"))
    (folder / "root-list.pem").write_bytes(root.public_bytes(Encoding.PEM))
    below = ("-untrusted", folder / "issuing-ca.pem")
    listed = ("-CRLfile", folder / "root-list.pem")
    for certificate, *more in (
        ("issuing-ca.pem", "-crl_check"),
        ("leaf.pem", "-crl_check", *below),
        # OpenSSL looks the root up, too, which names no list: it is trusted, not issued
        ("leaf.pem", "-crl_check_all", *below, *listed),
    ):
        said = openssl(
            *("verify", "-x509_strict", "-crl_download", *more),
            *("-CAfile", folder / "root.pem", folder / certificate),
        )
        assert said.endswith(": OK\n")


def test_the_addresses_in_a_certificate_lead_to_the_portal(
    web: str, leaf: x509.Certificate, folder: Path
) -> None:
    issuing = get(address(leaf, x509.AuthorityInformationAccessOID.CA_ISSUERS))
    leaf.verify_directly_issued_by(x509.load_der_x509_certificate(issuing))
    points = leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    (name,) = points[0].full_name
    assert x509.load_der_x509_crl(get(name.value)).issuer == leaf.issuer


def test_pdfsig_trusts_the_signer_and_openssl_finds_the_certificate_good(
    system: System, web: str, portal: Portal, phone: DemoPhone, contract: bytes, apart: Path
) -> None:
    """With the root imported, pdfsig asks the responder whose address is in the certificate."""
    request_id = portal.request([contract])
    phone.sign(request_id)
    signed = portal.signed(request_id)
    (apart / "signed.pdf").write_bytes(signed)
    unpacked.write(apart, unpacked.unpack(signed), (apart / "chain.pem").read_bytes())
    assert [one.passed for one in checks.check_status(apart, web)] == [True, True]
    nss = ["-d", f"sql:{apart}"]
    run("certutil", "-N", *nss, "--empty-password")
    root = system.home.public / "root.pem"
    run("certutil", "-A", *nss, "-n", "root", "-t", "CT,C,C", "-i", root)
    said = run("pdfsig", "-nssdir", f"sql:{apart}", apart / "signed.pdf")
    assert "Signature is Valid" in said
    assert "Certificate is Trusted" in said


def run(*command: object) -> str:
    words = list(map(str, command))
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def test_openssl_checks_the_chain_by_crls(web: str, leaf: x509.Certificate, folder: Path) -> None:
    assert verify_chain(web, folder).endswith("leaf.pem: OK\n")


@pytest.mark.parametrize("more", [(), ("-no_nonce",), ("-sha256",)])
def test_openssl_asks_the_responder(
    leaf: x509.Certificate, folder: Path, more: tuple[str, ...]
) -> None:
    said = ask_ocsp(leaf, folder, *more)
    assert "Response verify OK" in said
    assert "leaf.pem: good" in said
    assert "no nonce" not in said


def test_the_responder_is_asked_by_get(web: str, leaf: x509.Certificate, folder: Path) -> None:
    request = ocsp_request(leaf, folder)
    encoded = base64.b64encode(request).decode()
    posted = post(web, "/ocsp", request)
    assert posted[:2] == (200, "application/ocsp-response")
    for path in (encoded, urllib.parse.quote(encoded, safe=""), f"/{encoded}"):
        answer = ocsp.load_der_ocsp_response(get(f"{web}/ocsp/{path}"))
        assert answer.certificate_status is ocsp.OCSPCertStatus.GOOD
        assert answer.public_bytes(Encoding.DER) == posted[2]
    for broken in ("%FF", "!!!!", encoded[:-5], "A" * 4000):
        assert get(f"{web}/ocsp/{broken}") == MALFORMED


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_openssl_accepts_a_timestamp(web: str, folder: Path, algorithm: str) -> None:
    (folder / "data").write_bytes(b"stamped")
    query, reply = folder / "query.tsq", folder / "reply.tsr"
    openssl("ts", "-query", "-data", folder / "data", f"-{algorithm}", "-cert", "-out", query)
    status, kind, answer = post(web, "/tsa", query.read_bytes())
    assert (status, kind) == (200, "application/timestamp-reply")
    reply.write_bytes(answer)
    said = openssl(
        *("ts", "-verify", "-queryfile", query, "-in", reply),
        *("-CAfile", folder / "root.pem", "-untrusted", folder / "issuing-ca.pem"),
    )
    assert "Verification: OK" in said


@pytest.mark.parametrize("body", [b"", b"\x30\x80garbage", bytes(10 << 20)])
def test_a_malformed_body_is_answered_in_the_protocols_words(web: str, body: bytes) -> None:
    assert post(web, "/ocsp", body) == (200, "application/ocsp-response", MALFORMED)
    status, kind, answer = post(web, "/tsa", body)
    assert (status, kind) == (200, "application/timestamp-reply")
    assert answer == bytes.fromhex("3009300702010203020204")  # rejection, badDataFormat(5)


def test_what_does_not_exist_is_told_as_a_problem(web: str) -> None:
    for path in ("/ca/other.cer", "/crl/other.crl"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            get(web + path)
        assert refused.value.code == 404
        assert refused.value.headers["Content-Type"] == "application/problem+json"
        refused.value.close()


def test_a_crl_that_the_caller_has_is_not_sent_again(web: str) -> None:
    with urllib.request.urlopen(f"{web}/crl/device-ca.crl", timeout=10) as first:
        etag, digest = first.headers["ETag"], hashlib.sha256(first.read()).digest()
    again = urllib.request.Request(f"{web}/crl/device-ca.crl", headers={"If-None-Match": etag})
    with pytest.raises(urllib.error.HTTPError) as unchanged:
        urllib.request.urlopen(again, timeout=10)
    assert unchanged.value.code == 304
    unchanged.value.close()
    assert hashlib.sha256(get(f"{web}/crl/device-ca.crl")).digest() == digest


def test_a_revocation_shows_at_once_in_ocsp_and_within_a_minute_in_a_crl(
    system: System, web: str, contract: bytes, folder: Path
) -> None:
    person = Caller(system.home).find_person("approves")
    phone = DemoPhone(system.home.of("phone-to-be-revoked"), "58312")
    phone.enrol(Caller(system.home).issue_activation_code(person), system.home.deployment)
    request_id = Portal(system.home, person).request([contract])
    phone.sign(request_id)
    pem = unpacked.unpack(Portal(system.home, person).signed(request_id)).certificate
    (folder / "leaf.pem").write_bytes(pem)
    leaf = x509.load_pem_x509_certificate(pem)
    assert "leaf.pem: good" in ask_ocsp(leaf, folder)
    assert verify_chain(web, folder).endswith("leaf.pem: OK\n")
    suspended = phone.run("suspend", "--pin-stdin", pin="58312")
    assert suspended.returncode == 0, suspended.stderr
    assert "certificateHold" in ask_ocsp(leaf, folder)
    deadline = time.monotonic() + FRESH_S
    while "certificate revoked" not in verify_chain(web, folder):
        assert time.monotonic() < deadline, "no fresh CRL within a minute"
        time.sleep(1)


def test_the_ceremonys_process_certificates_have_a_status(system: System, folder: Path) -> None:
    tls = system.home.tls("portal")
    portal = x509.load_pem_x509_certificates((tls / "cert.pem").read_bytes())
    (folder / "portal.pem").write_bytes(portal[0].public_bytes(Encoding.PEM))
    (folder / "infrastructure.pem").write_bytes(portal[1].public_bytes(Encoding.PEM))
    said = openssl(
        *("ocsp", "-url", f"http://127.0.0.1:{system.ports['portal']}/ocsp"),
        *("-issuer", folder / "infrastructure.pem", "-cert", folder / "portal.pem"),
        *("-CAfile", folder / "root.pem"),
    )
    assert "portal.pem: good" in said
