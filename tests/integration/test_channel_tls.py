"""The channel of docs/spec/ecdsa2p.md §0 with real TLS and a relay that would like to read it."""

import asyncio
import ssl

import pytest
from cryptography import x509

from grpc_api.channel import (
    DeviceChannel,
    Failure,
    VaultChannel,
    device_channel,
    device_context,
    vault_context,
)
from grpc_api.channel import contexts as channel_contexts
from grpc_api.channel.engine import TlsEngine
from signer_core.errors import (
    KeyHeldError,
    PinRejectedError,
    ProtocolAbortError,
    RetireShareError,
    SignerError,
)
from signer_core.ports import Enrolled, EpochAcked
from signer_core.protocol.ecdsa2p.messages import EnrolRequest, EpochAck, VaultCommitment
from tests.fakes.channel_pair import Line, RecordTamper, Relay, outcome
from tests.fakes.pki import make_hierarchy
from tests.fixtures.certificates import identity_of

REQUEST = EnrolRequest(b"K" * 16, b"N" * 32, b"authorisation-in-the-clear" * 20)
ANSWER = VaultCommitment(b"V" * 32, b"C" * 32)
LAST = EpochAck(b"t" * 32)
PASSED = [[ANSWER], [REQUEST, LAST]]


@pytest.fixture(scope="module")
def vault_tls(certificates):
    return certificates.process("vault.internal", "vault-1.vault.internal")


@pytest.fixture(scope="module")
def vault_side(certificates, vault_tls):
    return vault_context(vault_tls.cert, vault_tls.key, certificates.device_ca)


@pytest.fixture(scope="module")
def device_side(certificates):
    return device_context(certificates.device()[0], certificates.root)


async def _exchange(relay, device, vault):
    """Send three messages in turn; return what arrived at each end, or its error."""

    async def phone():
        await device.send(REQUEST)
        received = await device.receive()
        await device.send(LAST)
        return [received]

    async def vault_end():
        received = await vault.receive()
        await vault.send(ANSWER)
        return [received, await vault.receive()]

    return await asyncio.gather(
        outcome(phone(), relay.to_vault), outcome(vault_end(), relay.to_device)
    )


async def _run(relay, device_side, vault_side):
    device, vault = await relay.open(device_side, vault_side)
    if isinstance(device, SignerError):
        return device, vault
    if isinstance(vault, SignerError):
        return await outcome(device.receive(), relay.to_vault), vault
    return await _exchange(relay, device, vault)


def _both_abort(ends):
    return all(isinstance(end, ProtocolAbortError) for end in ends)


async def test_messages_pass_both_ways(device_side, vault_side):
    assert await _run(Relay(), device_side, vault_side) == PASSED


async def test_the_vault_learns_the_certificate_that_the_phone_holds(certificates, vault_side):
    identity, _ = certificates.device()
    _, vault = await Relay().open(device_context(identity, certificates.root), vault_side)
    shown = x509.load_der_x509_certificate(vault.device_certificate)
    assert shown == x509.load_pem_x509_certificate(identity.certificate_chain)


async def test_the_relay_sees_no_plaintext(device_side, vault_side, vault_tls):
    relay = Relay()
    await _run(relay, device_side, vault_side)
    seen = bytes(relay.to_vault.sent + relay.to_device.sent)
    for secret in (b"K" * 16, b"authorisation", b"N" * 32, b"V" * 32, b"C" * 32):
        assert secret not in seen


async def test_the_relay_does_not_see_who_the_phone_is(certificates, vault_side):
    identity, key_hash = certificates.device()
    relay = Relay()
    await _run(relay, device_context(identity, certificates.root), vault_side)
    assert key_hash.hex().encode() not in bytes(relay.to_vault.sent)


POSITIONS = {
    "content type": lambda length: 0,
    "version, high": lambda length: 1,
    "version, low": lambda length: 2,
    "length, high": lambda length: 3,
    "length, low": lambda length: 4,
    "first": lambda length: 5,
    "middle": lambda length: (5 + length) // 2,
    "last": lambda length: length - 1,
}
HANDSHAKE_IN_CLEAR, CHANGE_CIPHER_SPEC = 22, 20
LAST_OF_ALL = ("to_vault", 6)  # the record of LAST


@pytest.mark.parametrize("where", POSITIONS)
@pytest.mark.parametrize("direction", ["to_vault", "to_device"])
@pytest.mark.parametrize("record", range(8))
async def test_a_changed_byte_ends_both_ends(device_side, vault_side, direction, record, where):
    tamper = RecordTamper(record, POSITIONS[where])
    ends = await _run(Relay(**{direction: Line(tamper=tamper)}), device_side, vault_side)
    if tamper.kind is None:
        assert ends == PASSED  # there is no such record
    elif ends == PASSED:
        # TLS 1.3 ignores the version of a record in the clear, RFC 8446 §5.1
        assert tamper.kind in {HANDSHAKE_IN_CLEAR, CHANGE_CIPHER_SPEC}
        assert where.startswith("version")
    elif (direction, record) == LAST_OF_ALL:
        assert ends[0] == PASSED[0]  # the phone waits for nothing more
        assert isinstance(ends[1], ProtocolAbortError)
    else:
        assert _both_abort(ends)


async def test_a_record_cannot_be_repeated(device_side, vault_side):
    relay = Relay()
    device, vault = await relay.open(device_side, vault_side)
    before = len(relay.to_vault.sent)
    await device.send(REQUEST)
    await relay.to_vault.queue.put(bytes(relay.to_vault.sent[before:]))
    assert await vault.receive() == REQUEST
    with pytest.raises(ProtocolAbortError):
        await vault.receive()


async def test_a_stream_cut_short_is_an_error(device_side, vault_side):
    relay = Relay()
    device, vault = await relay.open(device_side, vault_side)
    await relay.to_vault.hang_up()
    await relay.to_device.hang_up()
    assert _both_abort(
        [await outcome(vault.receive(), Line()), await outcome(device.receive(), Line())]
    )


async def test_a_dead_channel_stays_dead(device_side, vault_side):
    relay = Relay()
    device, vault = await relay.open(device_side, vault_side)
    await relay.to_vault.queue.put(b"\x17\x03\x03\x00\x20" + b"\x00" * 32)
    with pytest.raises(ProtocolAbortError):
        await vault.receive()
    await device.send(REQUEST)
    with pytest.raises(ProtocolAbortError, match="ended"):
        await vault.receive()
    with pytest.raises(ProtocolAbortError, match="ended"):
        await vault.send(ANSWER)


@pytest.mark.parametrize("end", ["device", "vault"])
@pytest.mark.parametrize("alpn", [["h2"], ["ecdsa2p/2"], None])
async def test_another_version_is_refused_by_both_ends(
    certificates, vault_tls, monkeypatch, end, alpn
):
    def contexts():
        identity, _ = certificates.device()
        return {
            "device": device_context(identity, certificates.root),
            "vault": vault_context(vault_tls.cert, vault_tls.key, certificates.device_ca),
        }

    sides = contexts()
    with monkeypatch.context() as patch:
        patch.setattr(ssl.SSLContext, "set_alpn_protocols", _replaced(alpn))
        sides[end] = contexts()[end]
    relay = Relay()
    device, vault = await relay.open(sides["device"], sides["vault"])
    assert _both_abort([device, vault])


def _replaced(alpn):
    original = ssl.SSLContext.set_alpn_protocols

    def set_alpn_protocols(self, _protocols):
        if alpn is not None:
            original(self, alpn)

    return set_alpn_protocols


@pytest.mark.parametrize(
    "names", [("vault.internal", "vault-2.vault.internal"), ("signer.internal",)]
)
async def test_another_process_is_not_the_vault(certificates, device_side, names):
    tls = certificates.process(*names)
    vault_side = vault_context(tls.cert, tls.key, certificates.device_ca)
    assert _both_abort(await Relay().open(device_side, vault_side))


async def test_a_wildcard_is_not_the_vault(certificates, device_side):
    tls = certificates.process("*.vault.internal")
    vault_side = vault_context(tls.cert, tls.key, certificates.device_ca)
    device, _ = await Relay().open(device_side, vault_side)
    assert isinstance(device, ProtocolAbortError)


async def test_a_vault_of_another_root_is_refused(certificates, device_side, vault_tls, tmp_path):
    other = type(certificates)(tmp_path, make_hierarchy())
    tls = other.process("vault.internal", "vault-1.vault.internal")
    vault_side = vault_context(tls.cert, tls.key, certificates.device_ca)
    device, _ = await Relay().open(device_side, vault_side)
    assert isinstance(device, ProtocolAbortError)


async def test_a_device_is_not_the_vault(certificates, device_side):
    identity, _ = certificates.device()
    tls = certificates.files("device", identity.certificate_chain, identity.private_key)
    vault_side = vault_context(tls.cert, tls.key, certificates.device_ca)
    device, _ = await Relay().open(device_side, vault_side)
    assert isinstance(device, ProtocolAbortError)


@pytest.mark.parametrize("kind", ["process", "citizen", "other deployment"])
async def test_only_a_device_opens_a_channel(certificates, vault_side, kind, tmp_path):
    other = type(certificates)(tmp_path, make_hierarchy())
    identity = {
        "process": lambda: identity_of(certificates.process("signer.internal")),
        "citizen": certificates.citizen,
        "other deployment": lambda: other.device()[0],
    }[kind]()
    ends = await _run(Relay(), device_context(identity, certificates.root), vault_side)
    assert _both_abort(ends)


async def test_a_phone_without_certificate_is_refused(certificates, vault_side):
    context = channel_contexts._base(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=certificates.root.decode())
    assert _both_abort(await _run(Relay(), context, vault_side))


async def test_tls_1_2_is_refused(certificates, device_side, vault_tls):
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.load_cert_chain(vault_tls.cert, vault_tls.key)
    old.set_alpn_protocols(["ecdsa2p/1"])
    device, _ = await Relay().open(device_side, old)
    assert isinstance(device, ProtocolAbortError)


async def test_the_vault_gives_no_session_ticket(device_side, vault_side):
    device = TlsEngine(device_side, "vault-1.vault.internal")
    vault = TlsEngine(vault_side, None)
    done = False
    while not done:
        device.handshake()
        vault.feed(device.outgoing() or b"")
        done = vault.handshake()
        after_handshake = vault.outgoing()
        if not done:
            device.feed(after_handshake)
    assert after_handshake == b""


async def test_a_silent_peer_is_given_up(device_side):
    device = await outcome(Relay().device(device_side), Line())
    assert isinstance(device, ProtocolAbortError)


@pytest.mark.parametrize(
    "error",
    [PinRejectedError(3, 1_800_000_000), KeyHeldError(1_800_000_000), RetireShareError("retired")],
)
async def test_a_failure_arrives_as_the_error_it_names(device_side, vault_side, error):
    device, vault = await Relay().open(device_side, vault_side)
    await vault.fail(error)
    with pytest.raises(type(error)) as raised:
        await device.receive()
    assert str(raised.value) == str(error)
    assert getattr(raised.value, "attempts_left", None) == getattr(error, "attempts_left", None)
    assert getattr(raised.value, "hold_until_s", None) == getattr(error, "hold_until_s", None)
    with pytest.raises(ProtocolAbortError, match="ended"):
        await device.receive()


@pytest.mark.parametrize("message", [Enrolled(), EpochAcked(), Failure("denied", "no")])
async def test_a_phone_cannot_speak_as_the_vault(device_side, vault_side, message):
    device, vault = await Relay().open(device_side, vault_side)
    await device._stream.send(message, 1.0)
    with pytest.raises(ProtocolAbortError):
        await vault.receive()


async def test_transport_messages_reach_the_phone(device_side, vault_side):
    device, vault = await Relay().open(device_side, vault_side)
    await vault.send(Enrolled())
    await vault.send(EpochAcked())
    assert [await device.receive(), await device.receive()] == [Enrolled(), EpochAcked()]


async def test_an_end_that_is_cancelled_is_dead(device_side, vault_side):
    device, vault = await Relay().open(device_side, vault_side)
    assert isinstance(device, DeviceChannel)
    assert isinstance(vault, VaultChannel)
    waiting = asyncio.create_task(vault.receive())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await device.send(EpochAck(b"t" * 32))
    with pytest.raises(ProtocolAbortError):
        await vault.receive()


async def test_the_last_message_and_the_end_are_one_write(device_side, vault_side):
    relay = Relay()
    device, vault = await relay.open(device_side, vault_side)
    before = relay.to_device.queue.qsize()
    await vault.finish(EpochAcked())
    await vault.close()
    assert relay.to_device.queue.qsize() == before + 1
    assert await device.receive() == EpochAcked()
    with pytest.raises(ProtocolAbortError, match="ended"):
        await device.receive()


async def test_nothing_is_said_to_a_peer_that_has_hung_up(device_side, vault_side):
    relay = Relay()
    device, vault = await relay.open(device_side, vault_side)
    await vault.finish(EpochAcked())
    await device.receive()
    before = len(relay.to_vault.sent)
    await device.close()
    assert len(relay.to_vault.sent) == before


async def test_whoever_hangs_up_first_says_so(device_side, vault_side):
    device, vault = await Relay().open(device_side, vault_side)
    await device.close()
    with pytest.raises(ProtocolAbortError, match="ended"):
        await vault.receive()


async def test_the_end_of_the_handshake_goes_with_the_first_message(device_side, vault_side):
    to_vault, to_device = Line(), Line()
    vault = asyncio.create_task(Relay(to_vault, to_device).vault(vault_side))
    device = await device_channel(to_device.read, to_vault.write, device_side, "vault-1")
    assert to_vault.queue.empty()
    await device.send(REQUEST)
    assert to_vault.queue.qsize() == 1
    assert await (await vault).receive() == REQUEST
