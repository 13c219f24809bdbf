"""The certificate of a seal, read back with another library than the one that wrote it."""

import subprocess

import pytest
from asn1crypto import x509 as asn1
from cryptography.hazmat.primitives.serialization import Encoding

from signer_core.errors import InvalidRequestError
from signer_core.pki.organisation import Organisation
from signer_core.pki.seal import issue_seal
from tests.fakes.pki import ADDRESSES, NOW, issuance, make_hierarchy, new_key, ukraine

ORGANISATION = Organisation("Вигадана установа", "00000017")
TYPE_ESEAL = bytes.fromhex("06070400 8e46010602".replace(" ", ""))  # 0.4.0.1862.1.6.2


@pytest.fixture(scope="module")
def cas():
    return make_hierarchy()


def seal(cas, **changes):
    country = ukraine().model_copy(update=changes)
    key = new_key().public_key()
    return issue_seal(cas.issuing, issuance(), key, ORGANISATION, country, ADDRESSES)


def read(certificate):
    return asn1.Certificate.load(certificate.public_bytes(Encoding.DER))


def test_it_names_the_organisation_and_its_number(cas):
    assert read(seal(cas)).subject.native == {
        "country_name": "UA",
        "organization_name": "Вигадана установа",
        "organization_identifier": "NTRUA-00000017",
        "common_name": "Вигадана установа",
    }


def test_it_is_for_seals_and_issues_nothing(cas):
    certificate = read(seal(cas))
    assert certificate.key_usage_value.native == {"digital_signature", "non_repudiation"}
    assert certificate.extended_key_usage_value is None
    assert certificate.basic_constraints_value["ca"].native is False
    assert certificate.ocsp_urls == [ADDRESSES.ocsp]


@pytest.mark.parametrize(
    ("said", "statements"),
    [({"type-esign"}, 1), ({"compliance", "sscd", "type-esign"}, 3)],
    ids=["sandbox", "qualified"],
)
def test_it_says_eseal_and_never_esign(cas, said, statements):
    certificate = read(seal(cas, qc_statements=frozenset(said)))
    (value,) = [
        bytes(e["extn_value"])
        for e in certificate["tbs_certificate"]["extensions"]
        if e["extn_id"].dotted == "1.3.6.1.5.5.7.1.3"
    ]
    assert TYPE_ESEAL in value
    assert TYPE_ESEAL[:-1] + b"\x01" not in value
    assert value.count(bytes.fromhex("04008e4601")) == statements + 1  # and the type's own


def test_openssl_accepts_it_under_its_root_and_not_for_tls(cas, tmp_path):
    def write(name, *certificates):
        pem = b"".join(one.public_bytes(Encoding.PEM) for one in certificates)
        (tmp_path / name).write_bytes(pem)

    write("root.pem", cas.root.certificate)
    write("chain.pem", cas.issuing.certificate)
    write("seal.pem", seal(cas))
    command = ["openssl", "verify", "-x509_strict", "-attime", str(int(NOW.timestamp()))]
    files = ["-CAfile", "root.pem", "-untrusted", "chain.pem", "seal.pem"]

    def accepts(purpose):
        whole = [*command, "-purpose", purpose, *files]
        return subprocess.run(whole, cwd=tmp_path, check=False, capture_output=True).returncode == 0

    assert accepts("smimesign")
    assert not accepts("sslserver")
    assert not accepts("sslclient")


@pytest.mark.parametrize(
    ("name", "edrpou"),
    [
        ("", "00000017"),
        ("x" * 65, "00000017"),
        (" x", "00000017"),
        ("a\nb", "00000017"),
        ("Установа", "0000001"),
        ("Установа", "0000001a"),
        ("Установа", "٠٠٠٠٠٠١٧"),
    ],
)
def test_a_name_or_number_that_is_none_is_refused(name, edrpou):
    with pytest.raises(InvalidRequestError):
        Organisation(name, edrpou)
