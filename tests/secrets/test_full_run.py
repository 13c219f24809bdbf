"""After a full run: no secret in logs, databases, files, or the memory of who may not have it."""

import asyncio
import os
import secrets
from dataclasses import dataclass

import pytest

from deploy.demo.commands import Caller
from deploy.home import REPOSITORY, Home
from deploy.system import running
from grpc_api.settings import load_settings
from hsm_module.settings import VaultSettings
from hsm_module.storage.records import Records
from hsm_module.token.hsm_token import HsmToken
from hsm_module.token.manifest import read_manifest
from hsm_module.token.site import TokenSite, read_pin
from signer_core.protocol.ecdsa2p.vault.share import VaultShare
from signer_core.protocol.multiplication import bits_of, subset_sum
from tests.crash.world import PIN, WRONG_PIN, CrashWorld
from tests.secrets import full_run, needles
from tests.secrets.needles import Secret, find, octets, scalar

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]

BY_DESIGN = {  # file: the one secret that it is there to hold
    "phone/device-secret": {"device_secret"},
    "vault/token-pin": {"token PIN"},
}


@dataclass(frozen=True)
class Left:
    """What a run left behind."""

    home: Home
    person_name: str
    phone: list[Secret]
    channel: list[Secret]
    vault: list[Secret]
    transfers: list[tuple[Secret, Secret]]
    memory: dict[str, set[str]]  # process: names of the secrets in its memory after the run

    @property
    def all(self) -> list[Secret]:
        seeds = [seed for both in self.transfers for seed in both]
        return [*self.phone, *self.channel, *self.vault, *seeds]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    home = Home(tmp_path_factory.mktemp("secrets"))
    pdf = REPOSITORY / "tests" / "assets" / "one_page.pdf"
    with pytest.MonkeyPatch.context() as patch, running(home, lambda _: None) as system:
        heard = full_run.listen(patch)
        person = Caller(home).find_person("approves")
        world = CrashWorld(system, home.run, person, pdf)
        phone = asyncio.run(full_run.run(world, home.of("phone")))
        of_phone = full_run.of_the_phone(phone, heard)
        of_channel = full_run.of_the_channel(phone, heard)
        transfers = full_run.of_transfers(phone)
        seeds = [seed for both in transfers for seed in both]
        pids = {one.name: one.pid for one in system.supervisor.find_processes()}
        pin = octets_of_pin(home)
        looked_for = [*map(needles.as_in_memory, [*of_phone, *of_channel, *seeds]), pin]
        memory = {name: in_memory(pid, looked_for) for name, pid in pids.items()}
        row = world.row("vault", "share_records", key_id=phone.shares.load().share.key_id)
    assert row is not None
    of_vault = [pin, *asyncio.run(of_the_vault(home, row))]
    return Left(home, person.full_name_uk, of_phone, of_channel, of_vault, transfers, memory)


def in_memory(pid: int, looked_for: list[Secret]) -> set[str]:
    return {name for region in needles.read_memory(pid) for name in find(looked_for, region)}


def octets_of_pin(home: Home) -> Secret:
    pin = read_pin(home.of("vault") / "token-pin").get_secret_value().encode()
    return Secret("token PIN", (pin,))


async def of_the_vault(home: Home, row: dict[str, object]) -> list[Secret]:
    """Open the token as the vault does, and unwrap the share: the process is gone by now."""
    settings = load_settings(VaultSettings, home.settings("vault"))
    site = TokenSite(settings.pkcs11_module, settings.softhsm_conf, settings.token_label)
    manifest = read_manifest(settings.token_manifest)
    token = await HsmToken.open(site, read_pin(settings.token_pin_file), manifest)
    try:
        sealed = (row["kek_id"], row["blob"])
        record = await Records(token).unwrap("share", row["key_id"], 0, sealed)
    finally:
        await token.close()
    share = VaultShare.from_bytes(record)
    return [
        octets("b", share.bits),
        octets("a seed of the vault's", share.seeds[:16]),
        scalar("x1", subset_sum(bits_of(share.bits))),
    ]


def test_the_scan_finds_what_is_there(left):
    """Each form of each secret is found where it is put, and the device secret in its file."""
    for secret in left.all:
        for form in secret.forms:
            assert secret.name in find([secret], b"before" + form + b"after")
    stored = (left.home.of("phone") / "device-secret").read_bytes()
    assert find(left.all, stored) == {"device_secret"}


def test_the_scan_of_memory_finds_what_is_there():
    planted = secrets.token_bytes(32)
    assert in_memory(os.getpid(), [octets("planted", planted)]) == {"planted"}


def test_no_file_holds_a_secret_of_phone_vault_or_channel(left):
    found = {
        str(path.relative_to(left.home.root)): names
        for path in needles.files(left.home.root)
        if (names := find(left.all, path.read_bytes()))
    }
    assert found == BY_DESIGN


def test_no_file_holds_a_pin(left):
    for path in needles.files(left.home.root):
        content = path.read_bytes()
        is_text = path.suffix in {".jsonl", ".json", ".toml", ".log", ".pem", ".conf", ".out"}
        for pin in (PIN, WRONG_PIN):
            assert not needles.find_pin(pin, content) if is_text else pin.encode() not in content


def test_no_log_names_the_person(left):
    for path in needles.files(left.home.logs):
        text = path.read_text(errors="replace")
        assert left.person_name not in text


@pytest.mark.parametrize("process", ["signer", "registrar"])
def test_who_only_relays_has_no_secret_in_memory(left, process):
    assert left.memory[process] == set()


def test_the_vault_never_had_what_is_the_phones(left):
    """Of the channel it sees what it must; of the phone's own secrets nothing, even in a dump."""
    print(f"\nin the vault's memory: {sorted(left.memory['vault'])}")  # noqa: T201  docs/threat-model.md quotes it
    assert left.memory["vault"] & {one.name for one in left.phone} == set()


def test_of_each_transfer_the_vault_has_one_seed_at_most(left):
    for both in left.transfers:
        assert len(left.memory["vault"] & {seed.name for seed in both}) < 2
