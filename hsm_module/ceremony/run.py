"""The ceremony from beginning to end, in the order of `softhsm_config/README.md`."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hsm_module.ceremony.authorities import (
    AUTHORITIES,
    REGISTRY_KEY,
    ROOT_KEY,
    is_root_needed,
    issue_missing,
    read_authorities,
)
from hsm_module.ceremony.files import only_one, write_public
from hsm_module.ceremony.home import Home, TokenFiles
from hsm_module.ceremony.plan import Plan, TokenPlan
from hsm_module.ceremony.processes import KeyUser, ensure_processes, ensure_statement_keys
from hsm_module.ceremony.records import ensure_records
from hsm_module.ceremony.root_crl import ensure_root_crl, is_root_crl_due
from hsm_module.ceremony.tokens import TokenPlace, ensure_token
from hsm_module.token.errors import TokenFault, TokenFaultError
from hsm_module.token.manifest import Manifest
from hsm_module.token.opening import open_token
from hsm_module.token.session import TokenSession
from hsm_module.token.site import TokenSite, read_pin
from signer_core.pki.token_key import TokenKey

AUDIT_KEY: Final = "audit-log"  # signs the checkpoints of the audit log

Tell = Callable[[str, list[str]], None]  # one line of the story: what, and which were made


def run_ceremony(home: Home, plan: Plan, now: datetime, tell: Tell) -> None:
    """Make everything that is missing; safe to kill and to repeat at any moment.

    Raises:
        SignerError: something in use is lost, damaged or does not fit; nothing is replaced.
    """
    with only_one(home.path):
        serving = _ensure_serving(home, plan, tell)  # 1
        has_root_token = home.root.manifest.exists()
        if is_root_needed(home) or (has_root_token and is_root_crl_due(home, now)):
            _use_root(home, plan, serving, now, tell)  # 2
        authorities = read_authorities(home, serving)  # 3
        with _key_user(_site(plan, home.serving, plan.keys.serving), home.serving, serving) as user:
            made = ensure_processes(home, plan.vault_id, authorities, user, now)  # 4
            tell("process certificates", made)
            _publish(home, serving, AUDIT_KEY)
            registry_key = serving.keys[REGISTRY_KEY].public_key()
            path = home.public / "relying-parties.json"
            signed = ensure_records(path, plan.relying_parties, registry_key, user, now)  # 5
            tell("relying parties", [p.id for p in plan.relying_parties] if signed else [])
        tell("keys of statements", ensure_statement_keys(home))  # 6


def _publish(home: Home, serving: Manifest, label: str) -> None:
    """Write a public key for whoever verifies without a certificate: the audit log's."""
    if label in serving.keys:
        public_key = serving.keys[label].public_key()
        pem = public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        write_public(home.public / f"{label}.pem", pem)


def _ensure_serving(home: Home, plan: Plan, tell: Tell) -> Manifest:
    used = (
        *(home.certificate(label) for label in (*AUTHORITIES, REGISTRY_KEY)),
        home.path / "vault" / "vault.db",
    )
    manifest, made = ensure_token(_place(plan, home.serving, plan.keys.serving, used))
    tell("serving token", made)
    return manifest


def _use_root(home: Home, plan: Plan, serving: Manifest, now: datetime, tell: Tell) -> None:
    used = (home.certificate("root"),)
    if used[0].exists() and not home.root.manifest.exists():
        raise TokenFaultError(
            TokenFault.MISSING,
            f"a certificate of the root is missing and the root token is away:"
            f" bring it back to {home.root.conf.parent}",
        )
    manifest, made = ensure_token(_place(plan, home.root, plan.keys.root, used))
    tell("root token", made)
    with _key_user(_site(plan, home.root, plan.keys.root), home.root, manifest) as user:
        tell("certificates", issue_missing(home, plan, serving, user(ROOT_KEY), now))
        tell("CRL of the root", ["root.crl"] if ensure_root_crl(home, user(ROOT_KEY), now) else [])


def _site(plan: Plan, files: TokenFiles, token: TokenPlan) -> TokenSite:
    return TokenSite(plan.module, files.conf, token.token_label)


def _place(plan: Plan, files: TokenFiles, token: TokenPlan, used: tuple[Path, ...]) -> TokenPlace:
    site = _site(plan, files, token)
    conf = plan.conf_template.replace("{tokens}", str(site.tokens))
    return TokenPlace(site, files, token, conf, used)


@contextmanager
def _key_user(site: TokenSite, files: TokenFiles, manifest: Manifest) -> Iterator[KeyUser]:
    """Give private key objects of a token, opened at the first use and closed at the end."""
    with ExitStack() as stack:
        opened: list[TokenSession] = []

        def use(label: str) -> ec.EllipticCurvePrivateKey:
            if not opened:
                opened.append(stack.enter_context(open_token(site, read_pin(files.pin))))
            session = opened[0]
            public_key = manifest.keys[label].public_key()
            return TokenKey(public_key, lambda digest: session.sign_digest(label, digest))

        yield use
