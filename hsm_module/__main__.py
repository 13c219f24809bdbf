"""The vault process: `python -m hsm_module --config var/vault/vault.toml`."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import structlog
import uvloop
from cryptography.hazmat.primitives.serialization import Encoding

from grpc_api.diagnostics import Surroundings
from grpc_api.hardening import harden
from grpc_api.logs import configure_logs
from grpc_api.process_certificate import renewing
from grpc_api.servers.vault import VaultListener, make_vault_server, serve_vault
from grpc_api.settings import load_settings
from grpc_api.telemetry import telemetry
from hsm_module.assembly import Vault, assemble
from hsm_module.audit.watching import audited, record_failure
from hsm_module.authorities import find_authorities
from hsm_module.diagnostics import check_token
from hsm_module.marks.watermarks import HighWaterMarks
from hsm_module.partners.first import read_first
from hsm_module.restore import restore
from hsm_module.seals.rules import rules_of
from hsm_module.settings import VaultSettings
from hsm_module.storage.records import Records
from hsm_module.storage.store import MIGRATIONS, Store
from hsm_module.token.errors import TokenFault, TokenFaultError
from hsm_module.token.hsm_token import HsmToken
from hsm_module.token.manifest import read_manifest
from hsm_module.token.site import TokenSite, read_pin
from hsm_module.trust.adoption import adopt, adopt_processes
from hsm_module.trust.crl_office import CrlOffice
from signer_core.audit.sparse import SparseRecorder
from signer_core.errors import SignerError
from signer_core.storage.engine import make_engine, upgrade

WRONG_PIN: Final = 78  # EX_CONFIG of sysexits.h: do not start again, a token may lock itself

_log = structlog.get_logger(__name__)


async def run(
    settings: VaultSettings, work: Callable[[VaultSettings, HsmToken], Awaitable[None]]
) -> None:
    """Open the token, bring the database up to date, and work until done or stopped.

    Raises:
        SignerError: the vault cannot start, or its token died.
    """
    site = TokenSite(settings.pkcs11_module, settings.softhsm_conf, settings.token_label)
    manifest = read_manifest(settings.token_manifest)
    token = await HsmToken.open(
        site, read_pin(settings.token_pin_file), manifest, settings.token_manifest
    )
    try:
        await upgrade(settings.database_url, MIGRATIONS)
        await work(settings, token)
    finally:
        await token.close()


async def _serve(settings: VaultSettings, token: HsmToken) -> None:
    authorities = await find_authorities(token, settings.ca_chain, settings.tls.ca)
    marks = HighWaterMarks(settings.high_water_marks)
    engine = make_engine(settings.database_url)
    try:
        store = Store(engine, token, marks)
        await store.verify_marks()
        vault = assemble(settings, token, store, authorities)
        await _take_up(settings, vault)
        device_ca = authorities.device.public_bytes(Encoding.PEM)
        denied = SparseRecorder(store.record)
        listener = VaultListener(settings.listen, settings.tls, device_ca, settings.callers, denied)
        around = Surroundings("vault", engine, settings.database_url, MIGRATIONS, settings.tls)
        server = await make_vault_server(
            vault.ports, listener, lambda: around.examine({"token": check_token(token)})
        )
        _log.info("serving", address=settings.listen, port=server.port, vault_id=settings.vault_id)
        finish = vault.judgement.finish_all
        crls = asyncio.create_task(_make_crls(settings, store, Records(token), vault.crls))
        async with (
            audited(store, settings.database_url),
            renewing(settings.tls, vault.processes.renew),
        ):
            fault = await serve_vault(server, _wait_for_fault(token, crls), finish)
            crls.cancel()
            await asyncio.wait({crls})
            if fault is not None:
                await record_failure(store)
                raise fault
        await finish()  # of those whose phones hung up
        await store.record_head()
        _log.info("stopped")
    finally:
        await engine.dispose()
        marks.close()


async def _take_up(settings: VaultSettings, vault: Vault) -> None:
    """Take over what settings and ceremony say: rules of seals, the first partners."""
    await vault.seals.put(rules_of(settings.seals))
    await vault.partners.adopt(read_first(settings.relying_parties))


async def _make_crls(
    settings: VaultSettings, store: Store, records: Records, crls: CrlOffice
) -> None:
    await adopt(store, records)
    if settings.process_certificates is not None:
        await adopt_processes(store, crls.infrastructure, settings.process_certificates)
    await crls.run()


async def _wait_for_fault(token: HsmToken, crls: asyncio.Task[None]) -> TokenFaultError:
    """Return why the token died; a defect in the making of CRLs ends the process, too."""
    fault = asyncio.ensure_future(token.wait_for_fault())
    try:
        await asyncio.wait({fault, crls}, return_when=asyncio.FIRST_COMPLETED)
        if crls.done() and not crls.cancelled():
            crls.result()
        return await fault
    finally:
        fault.cancel()


async def _restore(settings: VaultSettings, token: HsmToken) -> None:
    """Make a restored backup usable (docs/operations.md); no vault may run meanwhile."""
    marks = HighWaterMarks(settings.high_water_marks, alone=True)
    engine = make_engine(settings.database_url)
    try:
        done = await restore(Store(engine, token, marks), marks)
    finally:
        await engine.dispose()
        marks.close()
    sys.stdout.write(
        f"restored {done.keys} keys, {done.ended} of them ended for good by their marks, "
        f"{done.altered} altered and refused; burned {done.burned} requests; "
        f"{done.lost} keys are newer than the backup and lost\n"
    )


def main() -> int:
    """Run the process; return its exit code: 0 after a signal, 1 or 78 with one line otherwise."""
    parser = argparse.ArgumentParser(prog="python -m hsm_module", description=__doc__)
    commands = ("serve", "restore")
    parser.add_argument("command", nargs="?", choices=commands, default="serve")
    parser.add_argument("--config", type=Path, required=True, help="settings file (TOML)")
    harden()
    try:
        arguments = parser.parse_args()
        settings = load_settings(VaultSettings, arguments.config)
        configure_logs("vault", settings.log_file)
        with telemetry("vault", settings.metrics_listen, settings.otlp_endpoint):
            uvloop.run(run(settings, _restore if arguments.command == "restore" else _serve))
    except SignerError as error:
        sys.stderr.write(f"vault: {error}\n")
        wrong_pin = isinstance(error, TokenFaultError) and error.fault is TokenFault.PIN_WRONG
        return WRONG_PIN if wrong_pin else 1
    except OSError as error:
        sys.stderr.write(f"vault: {error.filename or 'a file'}: {error.strerror}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
