"""One transaction of the vault's database: its rows by kind, records, events."""

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from hsm_module.marks.watermarks import MarksView
from hsm_module.storage import sealing, statements
from hsm_module.storage.audit import AuditRows
from hsm_module.storage.beside import Fetched
from hsm_module.storage.clock import unix_time_s
from hsm_module.storage.crls import CrlRows
from hsm_module.storage.kek_moves import KekMoves
from hsm_module.storage.key_pages import KeyPages
from hsm_module.storage.keys import KeyRows
from hsm_module.storage.login_keys import LoginKeyRows
from hsm_module.storage.mark_heads import MarkHeads
from hsm_module.storage.officers import OfficerRows
from hsm_module.storage.own_certificates import OwnCertificateRows
from hsm_module.storage.partners import PartnerRows
from hsm_module.storage.records import RecordRows
from hsm_module.storage.requests import RequestRows
from hsm_module.storage.seals import SealRows
from hsm_module.storage.statuses import StatusRows
from hsm_module.storage.tables import consumed_authorisations
from hsm_module.storage.timestamp_clock import TimestampClock
from hsm_module.token.port import Token
from signer_core.audit.events import Event
from signer_core.audit.rows import to_outbox
from signer_core.errors import DeniedError
from signer_core.identifiers import KeyId


class Transaction:
    """One transaction: rows, records, events. Committed when its block ends without an error."""

    def __init__(self, connection: AsyncConnection, token: Token, marks: MarksView) -> None:
        fetched = Fetched()
        self.keys = KeyRows(connection, token, marks, fetched)
        self.requests = RequestRows(connection, token, marks, fetched)
        self.records = RecordRows(connection, fetched)
        self.heads = MarkHeads(connection, token, marks)
        self.audit = AuditRows(connection, token, marks)
        self.statuses = StatusRows(connection, token, marks)
        self.crls = CrlRows(connection)
        self.timestamps = TimestampClock(connection)
        self.own_certificates = OwnCertificateRows(connection, token)
        self.officers = OfficerRows(connection, token, marks)
        self.partners = PartnerRows(connection, token, marks)
        self.pages = KeyPages(connection, token, marks)
        self.keks = KekMoves(connection)
        self.seals = SealRows(connection, token)
        self.login_keys = LoginKeyRows(connection, token)
        self.recorded: list[Event] = []
        self._connection = connection
        self._token = token
        self._clock = unix_time_s(connection.dialect.name)

    async def now_s(self) -> int:
        """Return the Unix time by the database's clock: one clock for all vault processes."""
        return (await self._connection.execute(select(self._clock))).scalar_one()

    async def consume_authorisation(self, jti: bytes, key_id: KeyId) -> None:
        """Use up an enrolment authorisation.

        Raises:
            DeniedError: it was used before.
        """
        row = {"jti": jti, "key_id": key_id, "consumed_at_s": self._clock}
        try:
            await self._connection.execute(insert(consumed_authorisations).values(row))
        except IntegrityError:
            raise DeniedError("this enrolment authorisation was used before") from None

    async def person_mac(self, person_id: str) -> bytes:
        """Return the keyed hash (32 bytes) that stands for a person."""
        return await sealing.person_mac(self._token, person_id)

    async def record(self, event: Event) -> None:
        """Put an event into the outbox."""
        statement, row = statements.insert_event(self._connection), to_outbox(event)
        await statement.change(self._connection, row)
        self.recorded.append(event)
