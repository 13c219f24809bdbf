"""A thief reads the whole folder, key store included: no offline check of a PIN (§4)."""

import base64
import json

from mobile_share.pin import derive_factor, unmask_share
from mobile_share.share_file import open_sealed
from signer_core.protocol.curve import base
from signer_core.protocol.multiplication import bits_of, subset_sum
from signer_core.protocol.transcript import Q
from tests.fakes.phone_fixtures import PIN, sign


async def secrets_of(phone, world, pin=PIN):
    """Everything that would test a PIN, from both halves (in this test only)."""
    (key,) = world.vault.keys.values()
    stored = phone.shares.load()
    factor = await derive_factor(pin, phone.key_store.device_secret(), stored.mask)
    x2 = unmask_share(stored.masked_share, factor)
    x1 = subset_sum(bits_of(key.share.bits))
    assert base(x2).to_bytes() == key.share.device_public
    partials = [seen for seen in world.vault.seen if hasattr(seen, "sigmas")]
    assert partials
    found = {
        "X1": base(x1).to_bytes(),
        "X2": key.share.device_public,
        "x2": x2.to_bytes(32, "big"),
        "x1": x1.to_bytes(32, "big"),
        "x": ((x1 + x2) % Q).to_bytes(32, "big"),
        "F": factor.to_bytes(32, "big"),
        "PIN": pin.encode(),
    }
    for number, sent in enumerate(partials):
        found |= {f"sigma {number}": sent.sigmas[0], f"piPIN {number}": sent.pin_proof}
    return found


def spellings(secret):
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    yield base64.b64encode(secret).rstrip(b"=")
    yield base64.urlsafe_b64encode(secret).rstrip(b"=")
    if len(secret) == 33:  # a point is also told by its x coordinate
        yield from spellings(secret[1:])


def opened(phone):
    """Every file, and every sealed one as the thief decrypts it."""
    secret = phone.key_store.device_secret()
    contents = {path.name: path.read_bytes() for path in phone.folder.rglob("*") if path.is_file()}
    record = open_sealed(contents["share"], secret, b"share")
    contents["share, opened"] = record
    contents["protocol record"] = bytes.fromhex(json.loads(record)["share"])
    return contents


async def test_folder_after_enrolment_and_signatures_holds_nothing_that_tests_a_pin(
    enrolled, world
):
    for _ in range(2):
        await sign(enrolled, world, world.signer.ask(enrolled.certificate()))
    found = await secrets_of(enrolled, world)
    for file, content in opened(enrolled).items():
        for what, secret in found.items():
            if what == "PIN":
                continue  # five digits are in any long enough file; see below
            for spelling in spellings(secret):
                assert spelling not in content, f"{what} in {file}"


async def test_scan_would_find_a_planted_secret(enrolled, world):
    await sign(enrolled, world, world.signer.ask(enrolled.certificate()))
    found = await secrets_of(enrolled, world)
    (enrolled.folder / "planted").write_bytes(found["X2"].hex().encode())
    assert any(found["X2"].hex().encode() in content for content in opened(enrolled).values())


async def test_file_after_a_signature_with_the_right_and_a_wrong_pin_differs_in_no_kind(
    enrolled, world
):
    """Between two copies of the folder nothing depends on the PIN but the epoch the vault gave."""
    before = json.loads(opened(enrolled)["share, opened"])
    await sign(enrolled, world, world.signer.ask(enrolled.certificate()))
    after = json.loads(opened(enrolled)["share, opened"])
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"epoch", "epoch_key"}


async def test_every_tried_pin_gives_a_share_and_nothing_stored_differs(enrolled):
    """A sample of the 100,000: nothing in the folder is a function that picks one."""
    stored = enrolled.shares.load()
    files = {path: path.read_bytes() for path in enrolled.folder.iterdir()}
    secret, tried = enrolled.key_store.device_secret(), set()
    everything = b"".join(opened(enrolled).values())
    for pin in range(0, 100_000, 499):
        factor = await derive_factor(f"{pin:05}", secret, stored.mask)
        x2 = unmask_share(stored.masked_share, factor)
        assert 0 < x2 < Q
        point = base(x2).to_bytes()
        assert point[1:] not in everything
        assert point[1:].hex().encode() not in everything
        tried.add(x2)
    assert len(tried) == 201
    assert {path: path.read_bytes() for path in enrolled.folder.iterdir()} == files


async def test_grant_with_the_persons_identifiers_is_gone_after_enrolment(enrolled):
    assert not (enrolled.folder / "grant").exists()
    names = {path.name for path in enrolled.folder.iterdir()}
    assert names == {
        *("device-secret", "device-key.pem", "deployment.json", "device-chain.pem"),
        *("share", "certificate.pem", ".lock"),
    }
