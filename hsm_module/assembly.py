"""Putting the vault together: every part made once, from settings and an open token."""

import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from grpc_api.servers.vault import VaultPorts
from hsm_module.admin.access import OfficerDoor
from hsm_module.admin.keys import KeyDesk
from hsm_module.admin.officers import OfficerDesk
from hsm_module.admin.rotation import Rotation
from hsm_module.admin.seals import SealDesk
from hsm_module.admin.service import Admin
from hsm_module.audit.office import AuditOffice
from hsm_module.authorities import Authorities
from hsm_module.certificates import CertificateOffice
from hsm_module.context import VaultContext
from hsm_module.judgement import Judgement
from hsm_module.keys import Keys
from hsm_module.login.keys import LoginKeyring
from hsm_module.login.office import LoginOffice
from hsm_module.partners.desk import PartnerDesk
from hsm_module.processes import Processes
from hsm_module.requests import Requests
from hsm_module.seals.office import SealOffice
from hsm_module.seals.rules import SealRules
from hsm_module.sessions.enrolment import EnrolmentSessions
from hsm_module.sessions.serving import Sessions
from hsm_module.sessions.signing import SigningSessions
from hsm_module.settings import VaultSettings
from hsm_module.storage.records import Records
from hsm_module.storage.store import Store
from hsm_module.token.port import Token
from hsm_module.trust.context import TrustContext
from hsm_module.trust.crl_office import CrlOffice
from hsm_module.trust.own_certificates import OwnCertificates
from hsm_module.trust.services import VaultTrust
from signer_core.errors import InvalidRequestError
from signer_core.keys.pin_policy import PinPolicy
from signer_core.pki.citizen import Addresses
from signer_core.pki.countries import bundled_country
from signer_core.pki.country import parse_country


@dataclass(frozen=True, slots=True)
class Vault:
    """The parts that serve, and the one that must finish before the process ends."""

    ports: VaultPorts
    judgement: Judgement
    crls: CrlOffice
    seals: SealRules
    processes: Processes
    partners: PartnerDesk


def assemble(
    settings: VaultSettings, token: Token, store: Store, authorities: Authorities
) -> Vault:
    """Make every part of the vault.

    Raises:
        InvalidRequestError, NotFoundError: a setting does not fit.
    """
    context = VaultContext(
        vault_id=settings.vault_id,
        store=store,
        records=Records(token),
        registrar_key=read_public_key(settings.registrar_key),
        policy=PinPolicy(),
        now=utc_now,
        rng=secrets.token_bytes,
    )
    process = uuid.uuid4().hex
    judgement = Judgement(context.store, context.records, context.policy, process)
    sessions = Sessions(
        EnrolmentSessions(context), SigningSessions(context, judgement), settings.session_ttl_s
    )
    keys = Keys(context, _office(settings, token, authorities))
    own = OwnCertificates(store, token, authorities.issuing, utc_now)
    trust = _trust(settings, context, token, authorities, own)
    keyring = LoginKeyring(store, token)
    login = LoginOffice(token, keyring, settings.login_issuer, utc_now)
    partners = PartnerDesk(store, token, settings.sandbox)
    office = _office(settings, token, authorities)
    seals = SealOffice(store, token, SealRules(store), own, office)
    admin = Admin(
        OfficerDoor(context.store),
        KeyDesk(context),
        Rotation(context, token),
        OfficerDesk(store, token, authorities.infrastructure, utc_now),
        keyring,
        SealDesk(seals),
        partners,
    )
    audit = AuditOffice(settings.vault_id, store, token)
    processes = Processes(store, token, authorities.infrastructure, utc_now)
    requests = Requests(context)
    ports = VaultPorts(
        sessions, requests, keys, trust, seals, audit, login, processes, admin, partners
    )
    return Vault(ports, judgement, trust.crls, seals.rules, processes, partners)


def _trust(
    settings: VaultSettings,
    context: VaultContext,
    token: Token,
    authorities: Authorities,
    own: OwnCertificates,
) -> VaultTrust:
    parts = TrustContext(
        store=context.store,
        token=token,
        authorities=authorities,
        own=own,
        addresses=_addresses(settings),
        now=context.now,
        rng=context.rng,
    )
    return VaultTrust(parts, settings.root_crl)


def _office(settings: VaultSettings, token: Token, authorities: Authorities) -> CertificateOffice:
    return CertificateOffice(
        token=token,
        authorities=authorities,
        country=parse_country(bundled_country(settings.country)),
        addresses=_addresses(settings),
        now=utc_now,
        citizen_lifetime=timedelta(days=settings.certificate_days),
    )


def _addresses(settings: VaultSettings) -> Addresses:
    return Addresses(
        crl=settings.crl_url, ocsp=settings.ocsp_url, ca_issuers=settings.ca_issuers_url
    )


def read_public_key(path: Path) -> ec.EllipticCurvePublicKey:
    """Read a P-256 public key (PEM).

    Raises:
        InvalidRequestError: there is none.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError:
        raise InvalidRequestError(f"the public key {path} cannot be read") from None
    except ValueError:
        raise InvalidRequestError(f"{path} holds no public key in PEM") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InvalidRequestError(f"the public key in {path} is not on P-256")
    return key


def utc_now() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)
