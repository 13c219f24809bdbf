"""A key's life as a state machine: any order of what owner, thief, network and power can do."""

import asyncio
import dataclasses
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from hsm_module.storage.store import MIGRATIONS
from signer_core.errors import (
    InvalidRequestError,
    KeyBlockedError,
    KeySuspendedError,
    PinRejectedError,
    RetireShareError,
    SignerError,
    VerificationError,
)
from signer_core.protocol.curve import Scalar
from signer_core.protocol.ecdsa2p.verification import SignatureVerifier
from signer_core.protocol.key_action import KeyAction, about_hash, action_hash
from signer_core.protocol.transcript import Q
from signer_core.storage.engine import upgrade
from tests.fakes.token import MemoryToken
from tests.fakes.vault_phone import Ask, Phone, PhoneSigning, PhoneTransfer
from tests.fakes.vault_world import VaultProcess, VaultWorld

HOLD_S = 24 * 3600  # the longest wait of the PIN's policy
JUDGEMENT_S = 61
FINAL = (KeyBlockedError, KeySuspendedError, RetireShareError)
CODE_HASH = bytes(range(32))  # of the suspend code
LIVED = 2  # signatures; only then may an owner end the key, or no life would be long
_Phones = st.sampled_from(["owner", "copy"])
_Ends = st.sampled_from([KeyAction.SUSPENSION, KeyAction.REVOCATION])


class Died(BaseException):
    """The vault's process is gone: nothing of it runs on, not even its handlers of errors."""


@dataclasses.dataclass
class Model:
    """What must be true whatever happens. Mutable: it follows the machine."""

    wrong_in_a_row: int = 0  # tries that were judged wrong or never judged, since a success
    lost_tries: int = 0  # of them in the key's whole life
    unresolved: int = 0
    signed: set[bytes] = dataclasses.field(default_factory=set)  # requests
    last_success: bytes = b""  # its sid
    is_over: bool = False  # somebody was told so; nothing is ever signed after it


class KeyLife(RuleBasedStateMachine):
    """One key, its owner's phone, at most one copy of it, two vault processes."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(prefix="key-life-"))
        self.model = Model()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.run(self.world.stop())
        self.run(self.loop.shutdown_default_executor())
        self.loop.close()
        shutil.rmtree(self.folder)

    @initialize()
    def enrol(self) -> None:
        url = f"sqlite+aiosqlite:///{self.folder}/vault.db"
        self.run(upgrade(url, MIGRATIONS))
        self.world = VaultWorld(MemoryToken(), url)
        self.run(self.world.start())
        self.vaults = [self.world.vault, self.world.make_process("process-2")]
        self.phones: dict[str, Phone] = {"owner": self.run(self.world.citizen())}
        self.seen: dict[str, bytes] = {"owner": b""}  # the last success that a phone has stored
        key_id = self.phones["owner"].key_id
        self.run(self.world.vault.keys.set_suspend_code(key_id, CODE_HASH))
        self.ask: Ask | None = None

    # --- what happens ----------------------------------------------------------------------------

    @rule(who=_Phones, vault=st.integers(0, 1), lost=st.booleans())
    def sign(self, who: str, vault: int, lost: bool) -> None:
        """The right PIN; the answer may be lost on its way."""
        if who not in self.phones:
            return
        self._attempt(who, self.vaults[vault], lost=lost)

    @rule(vault=st.integers(0, 1))
    def sign_after_a_wait(self, vault: int) -> None:
        """What the owner mostly does: waits a hold out, then signs. Else no life would be long."""
        self.world.clock.ahead_s += HOLD_S + 1
        self._attempt("owner", self.vaults[vault], lost=False)

    sign_again = sign_after_a_wait  # a rule twice as likely

    @rule(who=_Phones, vault=st.integers(0, 1))
    def type_a_wrong_pin(self, who: str, vault: int) -> None:
        if who not in self.phones:
            return
        phone = self.phones[who]
        wrong = Scalar((phone.x2 + 1) % Q)
        try:
            self._run_session(phone, self.vaults[vault], wrong)
        except PinRejectedError as error:
            self._count(error.attempts_left)
        except SignerError as error:
            self._refused(error)
        else:
            raise AssertionError("a wrong PIN signed")

    @rule(who=_Phones, wrong=st.booleans(), moment=st.sampled_from(["pin", "verdict"]))
    def kill_the_vault_while_it_judges(self, who: str, wrong: bool, moment: str) -> None:
        """The process dies after the count: nobody learns the verdict, and there is none."""
        if who not in self.phones:
            return
        phone, doomed = self.phones[who], self.world.make_process("doomed")
        self._doom(doomed, moment)
        x2 = Scalar((phone.x2 + 1) % Q) if wrong else phone.x2
        try:
            self._run_session(phone, doomed, x2)
        except Died:
            self._count()
            self.model.unresolved += 1
            self.world.clock.ahead_s += JUDGEMENT_S
        except SignerError as error:
            self._refused(error)

    @rule(who=_Phones, steps=st.integers(1, 2))
    def hang_up_before_the_pin(self, who: str, steps: int) -> None:
        """Costs nothing, whenever it is."""
        if who not in self.phones:
            return
        phone = self.phones[who]
        before = self._row(phone)

        async def hang_up() -> None:
            session = self.world.signing(phone, await self._open_ask(phone))
            if steps == 1:
                await session.link.ask(session.request())
            else:
                await session.to_openings()
            await session.link.hang_up()

        try:
            self.run(hang_up())
        except SignerError as error:
            self._refused(error)
            return
        after = self._row(phone)
        counts = ("failed", "lifetime_failed", "unresolved", "status", "signatures")
        assert [after[name] for name in counts] == [before[name] for name in counts] or (
            after["unresolved"] > before["unresolved"]
        )

    @precondition(lambda self: "copy" not in self.phones and len(self.model.signed) >= LIVED)
    @rule()
    def copy_the_phone(self) -> None:
        self.phones["copy"] = self.phones["owner"].copy()
        self.seen["copy"] = self.seen["owner"]

    @rule(who=_Phones, confirmed=st.booleans())
    def refresh(self, who: str, confirmed: bool) -> None:
        """New shares, same Q; the new generation may be used at once or later."""
        if who not in self.phones:
            return
        phone = self.phones[who]
        try:
            self.run(self._refresh(who, phone, confirmed))
        except SignerError as error:
            self._refused(error)

    @precondition(lambda self: len(self.model.signed) >= LIVED)
    @rule(action=_Ends, wrong=st.booleans())
    def end_the_key_by_the_pin(self, action: KeyAction, wrong: bool) -> None:
        """Its owner suspends or revokes it: the right PIN ends it, a wrong one counts."""
        phone = self.phones["owner"]
        x2 = Scalar((phone.x2 + 1) % Q) if wrong else phone.x2
        self.world.clock.ahead_s += HOLD_S + 1
        try:
            self.run(self._act(phone, action, x2))
        except PinRejectedError as error:
            self._count(error.attempts_left)
        except SignerError as error:
            self._refused(error)
        else:
            assert not wrong
            self.model.is_over = True
            self.model.wrong_in_a_row = 0  # the right PIN ends the row of wrong ones, too

    @precondition(lambda self: len(self.model.signed) >= 3 * LIVED)
    @rule()
    def suspend_by_the_code(self) -> None:
        """Anybody with the code, at any time; a key that ended stays as it ended."""
        self.run(self.world.vault.keys.suspend_by_code(CODE_HASH))
        self.model.is_over = True

    @precondition(lambda self: self.model.signed)
    @rule(data=st.data())
    def replay_a_request(self, data: st.DataObject) -> None:
        """A request that was signed is never signed again."""
        request_id = data.draw(st.sampled_from(sorted(self.model.signed)))
        phone = self.phones["owner"]
        ask = dataclasses.replace(self.asks[request_id])
        try:
            self.run(self._one_session(phone, self.world.vault, phone.x2, ask))
        except InvalidRequestError:
            pass
        except SignerError as error:
            self._refused(error)
        else:
            raise AssertionError("a request was signed twice")

    @rule()
    def keep_a_backup(self) -> None:
        self.backup = self._row(self.phones["owner"])

    @precondition(lambda self: hasattr(self, "backup"))
    @rule()
    def put_back_an_old_row(self) -> None:
        """It has its right MAC, and is refused by its mark; then the true row comes back."""
        phone = self.phones["owner"]
        true = self._row(phone)
        if true["row_version"] == self.backup["row_version"]:
            return
        self._put(self.backup)
        try:
            self._run_session(phone, self.vaults[0], phone.x2)
        except VerificationError:
            self._put(true)
        else:
            raise AssertionError("a row rolled back was used")

    def _put(self, row: dict[str, Any]) -> None:
        changes = {name: value for name, value in row.items() if name != "key_id"}
        self.run(self.world.edit("keys", changes, key_id=row["key_id"]))

    @rule(seconds=st.sampled_from([1, JUDGEMENT_S, HOLD_S + 1]))
    def wait(self, seconds: int) -> None:
        self.world.clock.ahead_s += seconds

    # --- what is always true ---------------------------------------------------------------------

    @invariant()
    def tries_are_never_undercounted(self) -> None:
        if not hasattr(self, "phones"):
            return
        row = self._row(self.phones["owner"])
        assert row["failed"] >= self.model.wrong_in_a_row
        assert row["lifetime_failed"] >= self.model.lost_tries
        assert self.model.wrong_in_a_row <= 9
        assert self.model.lost_tries <= 30

    @invariant()
    def each_request_was_signed_at_most_once(self) -> None:
        if not hasattr(self, "phones"):
            return
        row = self._row(self.phones["owner"])
        assert row["signatures"] == 1 + len(self.model.signed)  # and its own PKCS#10

    @invariant()
    def the_end_is_the_end(self) -> None:
        if hasattr(self, "phones") and self.model.is_over:
            row = self._row(self.phones["owner"])
            blocked = row["failed"] >= 9 or row["lifetime_failed"] >= 30
            assert blocked or row["status"] in {"suspended", "retired"}

    # --- how -------------------------------------------------------------------------------------

    def _attempt(self, who: str, vault: VaultProcess, *, lost: bool) -> None:
        phone = self.phones[who]
        try:
            ask, sid = self._run_session(phone, vault, phone.x2, lost=lost)
        except SignerError as error:
            self._refused(error)
            return
        self._succeeded(who, sid, pending=self._pending)
        assert ask.request_id not in self.model.signed
        self.model.signed.add(ask.request_id)
        self.ask = None
        if not lost:
            self.seen[who] = sid

    def _succeeded(self, who: str, sid: bytes, pending: tuple[bytes, ...]) -> None:
        """Two copies never both go on: whoever succeeds knew of the success before."""
        assert not self.model.is_over
        last = self.model.last_success
        assert not last or last == self.seen[who] or last in pending
        self.model.last_success = sid
        self.model.wrong_in_a_row = 0

    def _run_session(
        self, phone: Phone, vault: VaultProcess, x2: Scalar, *, lost: bool = False
    ) -> tuple[Ask, bytes]:
        self._pending = phone.epoch.pending
        return self.run(self._session(phone, vault, x2, lost=lost))

    async def _session(
        self, phone: Phone, vault: VaultProcess, x2: Scalar, *, lost: bool
    ) -> tuple[Ask, bytes]:
        ask = await self._open_ask(phone)
        return ask, await self._one_session(phone, vault, x2, ask, lost=lost)

    async def _one_session(
        self, phone: Phone, vault: VaultProcess, x2: Scalar, ask: Ask, *, lost: bool = False
    ) -> bytes:
        session = self.world.signing(phone, ask, vault)
        try:
            await session.to_openings()
            signed = await session.sign(x2)
            self._verify(phone, session, signed)
            if not lost:
                await session.acknowledge(signed)
            return bytes(session.party.sid)
        finally:
            if not session.link.task.done():
                await session.link.hang_up()

    def _verify(self, phone: Phone, session: PhoneSigning, signed: Any) -> None:
        verifier = SignatureVerifier(phone.share.public_key)
        for signature, digest in zip(signed.signatures, session.party._hashes, strict=True):
            verifier.verify(signature, digest)

    async def _refresh(self, who: str, phone: Phone, confirmed: bool) -> None:
        pending = phone.epoch.pending
        session = await self.world.proved(phone)
        self._succeeded(who, bytes(session.party.sid), pending)
        self.seen[who] = bytes(session.party.sid)
        await self._finish_refresh(who, session, confirmed)

    async def _finish_refresh(self, who: str, session: PhoneSigning, confirmed: bool) -> None:
        renewed = await PhoneTransfer(session).run()
        self.phones[who] = renewed
        if confirmed:
            await self.world.confirm(renewed)

    async def _act(self, phone: Phone, action: KeyAction, x2: Scalar) -> None:
        registration = self.world.registration(
            phone,
            kind=action.value,
            request_hash=action_hash(action, phone.key_id),
            file_hashes=(about_hash(phone.key_id),),
        )
        await self.world.vault.requests.register(registration)
        ask = Ask(registration.request_id, registration.request_hash, (), "")
        await self._one_session(phone, self.world.vault, x2, ask)

    async def _open_ask(self, phone: Phone) -> Ask:
        """Return a request that is open for the phone's key, a new one if need be."""
        if self.ask is not None:
            state = await self.world.row("requests", request_id=self.ask.request_id)
            if state["state"] != "open":
                self.ask = None
        if self.ask is None:
            self.ask = await self.world.request(phone)
            self.asks = {**getattr(self, "asks", {}), self.ask.request_id: self.ask}
        return self.ask

    def _count(self, attempts_left: int = 0) -> None:
        self.model.wrong_in_a_row += 1
        self.model.lost_tries += 1
        assert attempts_left <= 9 - self.model.wrong_in_a_row

    def _refused(self, error: SignerError) -> None:
        if isinstance(error, FINAL):
            self.model.is_over = True

    def _doom(self, vault: VaultProcess, moment: str) -> None:
        async def die(*_: Any) -> None:
            raise Died

        if moment == "verdict":
            vault.judgement._release = vault.judgement._reject = die
        else:
            count = vault.judgement._count

            async def count_and_die(*session: Any) -> None:
                await count(*session)
                raise Died

            vault.judgement._count = count_and_die

    def _row(self, phone: Phone) -> dict[str, Any]:
        found: dict[str, Any] = self.run(self.world.row("keys", key_id=phone.key_id))
        return found
