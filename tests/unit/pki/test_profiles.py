"""What each profile contains, read back with another library than the one that wrote it."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from ipaddress import IPv4Address
from typing import Any

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from signer_core.errors import InvalidRequestError, VerificationError
from signer_core.pki.authority import authority_name
from signer_core.pki.citizen import issue_citizen
from signer_core.pki.device import device_key_hash, issue_device
from signer_core.pki.issuing import BACKDATE, Issuance, Issuer
from signer_core.pki.process import ProcessNames, issue_process
from signer_core.pki.registry import REGISTRY_USAGE, issue_registry
from tests.fakes.pki import (
    ADDRESSES,
    NOW,
    SUBJECT,
    Hierarchy,
    issuance,
    make_hierarchy,
    new_key,
    ukraine,
)


@pytest.fixture(scope="module")
def cas() -> Hierarchy:
    return make_hierarchy()


def parsed(certificate: x509.Certificate) -> asn1.Certificate:
    return asn1.Certificate.load(certificate.public_bytes(Encoding.DER))


def extensions(certificate: x509.Certificate) -> dict[str, tuple[bool, Any, bytes]]:
    """By dotted identifier: critical, parsed value, raw DER."""
    found = parsed(certificate)["tbs_certificate"]["extensions"]
    return {
        e["extn_id"].dotted: (
            bool(e["critical"].native),
            e["extn_value"].native,
            bytes(e["extn_value"]),
        )
        for e in found
    }


def citizen(cas: Hierarchy, **changes: object) -> x509.Certificate:
    country = ukraine().model_copy(update=changes)
    return issue_citizen(
        cas.issuing, issuance(), new_key().public_key(), SUBJECT, country, ADDRESSES
    )


class TestCitizen:
    def test_the_subject_is_the_person(self, cas: Hierarchy) -> None:
        assert parsed(citizen(cas)).subject.native == {
            "country_name": "UA",
            "common_name": SUBJECT.common_name,
            "surname": SUBJECT.surname,
            "given_name": SUBJECT.given_name,
            "serial_number": "TINUA-" + SUBJECT.rnokpp,
        }

    def test_the_key_only_signs_for_the_person(self, cas: Hierarchy) -> None:
        critical, usages, _ = extensions(citizen(cas))["2.5.29.15"]
        assert critical
        assert usages == {"non_repudiation"}
        assert "2.5.29.37" not in extensions(citizen(cas))

    def test_the_unzr_is_a_directory_attribute(self, cas: Hierarchy) -> None:
        critical, _, raw = extensions(citizen(cas))["2.5.29.9"]
        assert not critical
        oid = bytes.fromhex("060c2a8624020101010b01040b01")
        assert oid in raw
        assert b"\x31\x10\x13\x0e" + SUBJECT.unzr.encode() in raw  # SET OF PrintableString

    def test_the_sandbox_claims_no_qualification(self, cas: Hierarchy) -> None:
        _, _, raw = extensions(citizen(cas))["1.3.6.1.5.5.7.1.3"]
        assert raw == bytes.fromhex("30153013060604008e4601063009060704008e46010601")

    def test_a_qualified_provider_states_all_three(self, cas: Hierarchy) -> None:
        claims = frozenset({"compliance", "sscd", "type-esign"})
        _, _, raw = extensions(citizen(cas, qc_statements=claims))["1.3.6.1.5.5.7.1.3"]
        assert [bytes.fromhex("060604008e46010" + last) in raw for last in "146"] == [True] * 3

    def test_no_statement_is_no_extension(self, cas: Hierarchy) -> None:
        found = extensions(citizen(cas, qc_statements=frozenset()))
        assert "1.3.6.1.5.5.7.1.3" not in found

    def test_the_addresses_and_the_policy_are_there(self, cas: Hierarchy) -> None:
        found = extensions(citizen(cas))
        assert ADDRESSES.crl.encode() in found["2.5.29.31"][2]
        assert ADDRESSES.ocsp.encode() in found["1.3.6.1.5.5.7.1.1"][2]
        assert ADDRESSES.ca_issuers.encode() in found["1.3.6.1.5.5.7.1.1"][2]
        assert bytes.fromhex("06092a8624020101010204") in found["2.5.29.32"][2]

    def test_it_lasts_a_year_from_a_little_before_now(self, cas: Hierarchy) -> None:
        certificate = citizen(cas)
        assert certificate.not_valid_before_utc == NOW - BACKDATE
        assert certificate.not_valid_after_utc == NOW + timedelta(days=365)

    def test_a_wrong_number_is_not_certified(self, cas: Hierarchy) -> None:
        subject = replace(SUBJECT, rnokpp="0000000001")
        with pytest.raises(InvalidRequestError):
            issue_citizen(
                cas.issuing, issuance(), new_key().public_key(), subject, ukraine(), ADDRESSES
            )


class TestEveryCertificate:
    def test_a_key_of_another_authority_is_found(self, cas: Hierarchy) -> None:
        mixed = Issuer(cas.device.certificate, cas.issuing.key)
        with pytest.raises(VerificationError):
            issue_device(mixed, issuance(), new_key().public_key())

    def test_it_never_outlives_its_issuer(self, cas: Hierarchy) -> None:
        late = issuance(cas.device.certificate.not_valid_after_utc - timedelta(days=3))
        certificate = issue_device(cas.device, late, new_key().public_key())
        assert certificate.not_valid_after_utc == cas.device.certificate.not_valid_after_utc

    def test_an_expired_or_future_issuer_issues_nothing(self, cas: Hierarchy) -> None:
        for now in (cas.device.certificate.not_valid_after_utc, NOW - timedelta(days=1)):
            with pytest.raises(InvalidRequestError):
                issue_device(cas.device, issuance(now), new_key().public_key())

    @pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP256K1()])
    def test_a_key_on_another_curve_is_refused(
        self, cas: Hierarchy, curve: ec.EllipticCurve
    ) -> None:
        with pytest.raises(InvalidRequestError):
            issue_device(cas.device, issuance(), ec.generate_private_key(curve).public_key())

    @pytest.mark.parametrize("serial", [0, -1, 1 << 159])
    def test_a_serial_number_out_of_range_is_refused(self, serial: int) -> None:
        with pytest.raises(InvalidRequestError):
            Issuance(serial, NOW)

    @pytest.mark.parametrize(
        "now",
        [NOW.replace(tzinfo=None), datetime(2026, 11, 1, tzinfo=timezone(timedelta(hours=2)))],
    )
    def test_a_time_not_in_utc_is_refused(self, now: datetime) -> None:
        with pytest.raises(InvalidRequestError):
            Issuance(1, now)
        Issuance(1, now.replace(tzinfo=UTC))


class TestDevice:
    def test_it_names_only_the_key(self, cas: Hierarchy) -> None:
        key = new_key().public_key()
        certificate = issue_device(cas.device, issuance(), key)
        assert parsed(certificate).subject.native == {"common_name": device_key_hash(key).hex()}
        spki = parsed(certificate)["tbs_certificate"]["subject_public_key_info"].dump()
        assert hashlib.sha256(spki).digest() == device_key_hash(key)
        assert "2.5.29.17" not in extensions(certificate)

    def test_it_is_for_clients_only(self, cas: Hierarchy) -> None:
        certificate = issue_device(cas.device, issuance(), new_key().public_key())
        assert extensions(certificate)["2.5.29.37"][1] == ["client_auth"]


class TestProcess:
    def test_it_answers_to_its_names(self, cas: Hierarchy) -> None:
        names = ProcessNames(("signer.internal", "localhost"), (IPv4Address("127.0.0.1"),))
        certificate = issue_process(cas.infrastructure, issuance(), new_key().public_key(), names)
        found = extensions(certificate)
        assert found["2.5.29.17"][1] == ["signer.internal", "localhost", "127.0.0.1"]
        assert found["2.5.29.37"][1] == ["server_auth", "client_auth"]

    def test_a_process_without_a_name_is_refused(self, cas: Hierarchy) -> None:
        with pytest.raises(InvalidRequestError):
            issue_process(cas.infrastructure, issuance(), new_key().public_key(), ProcessNames(()))


def test_the_registry_is_marked_by_a_critical_usage_of_its_own(cas: Hierarchy) -> None:
    name = authority_name("Registry", "UA", "Test")
    certificate = issue_registry(cas.root, issuance(), new_key().public_key(), name)
    critical, usages, _ = extensions(certificate)["2.5.29.37"]
    assert critical
    assert usages == [REGISTRY_USAGE.dotted_string]


def test_each_authority_limits_the_path_by_itself(cas: Hierarchy) -> None:
    """The root's limit alone would hide that an authority has none."""
    below = (cas.issuing, cas.device, cas.infrastructure)
    limits = [extensions(issuer.certificate)["2.5.29.19"] for issuer in (cas.root, *below)]
    assert [critical for critical, _, _ in limits] == [True] * 4
    assert [value["path_len_constraint"] for _, value, _ in limits] == [1, 0, 0, 0]
