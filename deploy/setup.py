"""Make one machine's system: keys and certificates, settings with ports, what phones pin."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.fernet import Fernet

from deploy import ports
from deploy.home import REPOSITORY, Home, write_whole
from deploy.layout import LISTENERS, ONE_OF_EACH, Layout, Process
from deploy.render import Value, render
from deploy.supervision import StartError
from hsm_module.token.site import find_module

EXAMPLES = Path(__file__).parent / "examples"
VAULT_ID = "vault-1"


def prepare(
    home: Home, tell: Callable[[str], None], layout: Layout = ONE_OF_EACH
) -> dict[str, int]:
    """Make whatever is missing under `home`; return the ports of the listeners.

    Safe to repeat: what is there stays, settings are written anew with the ports of today.

    Raises:
        StartError: the ceremony failed.
    """
    home.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = ports.load(home.ports)
    chosen = ports.choose(home.ports, layout.listeners())
    _hold_ceremony(home, f"http://127.0.0.1:{chosen['portal']}", tell)
    if before.keys() == chosen.keys() and before != chosen:
        tell(f"another program took one of the ports {list(before.values())}: using new ones")
    for process in layout.processes():
        example = (EXAMPLES / f"{process.role}.example.toml").read_text()
        settings = render(example, _settings(process, home, chosen, layout))
        write_whole(home.settings(process.name), settings)
        if process.role == "signer":
            pinned = home.public / f"{process.listener('deployment')}.json"
            write_whole(pinned, _deployment(home, chosen, process), mode=0o644)
    return chosen


def _hold_ceremony(home: Home, trust_url: str, tell: Callable[[str], None]) -> None:
    tell("keys and certificates")
    ceremony = subprocess.run(  # noqa: S603  # our own interpreter and module
        [
            *(sys.executable, "-m", "hsm_module.ceremony"),
            *("--home", str(home.root), "--trust-url", trust_url),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
    )
    if ceremony.returncode:
        said = (ceremony.stderr or ceremony.stdout).strip().splitlines()
        raise StartError(said[-1] if said else f"ceremony failed ({ceremony.returncode})")
    for line in ceremony.stdout.splitlines():
        if " made " in line:
            tell("  " + " ".join(line.split()))


def _settings(
    process: Process, home: Home, listeners: Mapping[str, int], layout: Layout
) -> dict[str, Value]:
    role = process.role
    if role == "simulator":
        return _simulator(home, listeners)
    own, tls = home.of(role), home.tls(role)
    at = {name: f"127.0.0.1:{port}" for name, port in listeners.items()}
    at |= {name: at[process.listener(name)] for name in LISTENERS[role]}
    database = layout.database or f"sqlite+aiosqlite:///{own / role}.db"
    common: dict[str, Value] = {
        "tls.cert": str(tls / "cert.pem"),
        "tls.key": str(tls / "key.pem"),
        "tls.ca": str(tls / "ca.pem"),
    }
    vaults = [at[one.name] for one in layout.processes() if one.role == "vault"]
    if role != "vault":
        common["tls.vault_addresses"] = vaults
    if role == "portal":
        signers = [one for one in layout.processes() if one.role == "signer"]
        internal = [at[one.listener("internal")] for one in signers]
        return common | {
            "listen": at["portal"],
            "public_url": f"http://{at['portal']}",
            "cookie_keys_file": str(_cookie_keys(own)),
            "phone_url": f"http://localhost:{listeners['simulator']}",
            "signer_addresses": internal,
        }
    common["database_url"] = database.replace("{process}", role)
    if role == "worker":
        sandbox = {"callbacks.allow_private": True}
        return common | {"listen": at["worker"], "signer_address": at["internal"]} | sandbox
    if role == "signer":
        own_log = str(home.of("audit") / process.name)
        return common | _signer(home, at) | {"vault_addresses": vaults, "audit_folder": own_log}
    return common | {"vault": _vault, "registrar": _registrar}[role](home, at)


def _cookie_keys(folder: Path) -> Path:
    """Make the keys of cookies if they are missing; who is signed in stays so over a restart."""
    path = folder / "cookie-keys"
    if not path.exists():
        write_whole(path, Fernet.generate_key().decode() + "\n")
    return path


def _vault(home: Home, at: Mapping[str, str]) -> dict[str, Value]:
    own = home.of("vault")
    return {
        "listen": at["vault"],
        "vault_id": VAULT_ID,
        "pkcs11_module": str(find_module(None, os.environ)),
        "softhsm_conf": str(home.of("softhsm") / "softhsm2.conf"),
        "token_pin_file": str(own / "token-pin"),
        "token_manifest": str(own / "token-manifest.json"),
        "high_water_marks": str(own / "high-water-marks"),
        "ca_chain": str(home.public / "ca-chain.pem"),
        "root_crl": str(home.public / "root.crl"),
        "relying_parties": str(home.public / "relying-parties.json"),
        "sandbox": True,
        "process_certificates": str(home.public / "process-certificates.pem"),
        "crl_url": f"http://{at['portal']}/crl/issuing-ca.crl",
        "ocsp_url": f"http://{at['portal']}/ocsp",
        "ca_issuers_url": f"http://{at['portal']}/ca/issuing-ca.cer",
        "login_issuer": f"http://{at['portal']}",
        "registrar_key": str(home.public / "registrar.pem"),
    }


def _signer(home: Home, at: Mapping[str, str]) -> dict[str, Value]:
    return {
        "phone_listen": at["phone"],
        "enrolment_listen": at["enrolment"],
        "internal_listen": at["internal"],
        "vault_id": VAULT_ID,
        "registrar_address": at["registrar"],
        "sandbox": True,
        "callback_key": str(home.of("signer") / "callback-key.pem"),
        "registry_cert": str(home.public / "registry.pem"),
        "registrar_key": str(home.public / "registrar.pem"),
        "ca_chain": str(home.public / "ca-chain.pem"),
        "root": str(home.public / "root.pem"),
        "public_url": f"http://{at['portal']}",
    }


def _simulator(home: Home, listeners: Mapping[str, int]) -> dict[str, Value]:
    signer = Path(sys.executable).with_name("signer")
    return {
        "listen": f"127.0.0.1:{listeners['simulator']}",
        "phones": str(home.of("simulator") / "phones"),
        "deployment": str(home.deployment),
        "sandbox_command": [str(signer), "--home", str(home.root)],
    }


def _registrar(home: Home, at: Mapping[str, str]) -> dict[str, Value]:
    return {
        "listen": at["registrar"],
        "signing_key": str(home.of("registrar") / "signing-key.pem"),
    }


def _deployment(home: Home, listeners: Mapping[str, int], signer: Process) -> str:
    pinned = {
        "root_pem": (home.public / "root.pem").read_text(),
        "registry_pem": (home.public / "registry.pem").read_text(),
        "registrar_pem": (home.public / "registrar.pem").read_text(),
        "vault_id": VAULT_ID,
        "phone_address": f"127.0.0.1:{listeners[signer.listener('phone')]}",
        "enrolment_address": f"127.0.0.1:{listeners[signer.listener('enrolment')]}",
        "server_name": "signer.internal",
        "country": "ua",
        "public_url": f"http://127.0.0.1:{listeners['portal']}",
    }
    return json.dumps(pinned, indent=2) + "\n"
