"""The named places where the harness kills a process: the list is the coverage.

A stage is one function of a process; its moments are before it, at the commit of its (last)
transaction, when every row is written and nothing is durable yet, and after it.
"""

from dataclasses import dataclass
from typing import Final, Literal

Process = Literal["vault", "signer", "phone"]
Moment = Literal["before", "commit", "after"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A function in which a process may be killed."""

    process: Process
    name: str
    target: str  # module:function or module:Class.method
    moments: tuple[Moment, ...]

    @property
    def points(self) -> tuple[str, ...]:
        return tuple(f"{self.process}.{self.name}.{moment}" for moment in self.moments)


_ALL: Final = ("before", "commit", "after")
_DURABLE: Final = ("commit", "after")
_AROUND: Final = ("before", "after")

STAGES: Final = (
    Stage("vault", "live", "hsm_module.sessions.signing:SigningSessions._go_live", _DURABLE),
    Stage("vault", "count", "hsm_module.judgement:Judgement._count", _ALL),
    Stage(
        "vault",
        "pin",
        "signer_core.protocol.ecdsa2p.vault.signing:VaultSigning.verify_pin",
        ("after",),
    ),
    Stage("vault", "release", "hsm_module.judgement:Judgement._release", _ALL),
    Stage("vault", "reject", "hsm_module.judgement:Judgement._reject", _ALL),
    Stage("vault", "retire", "hsm_module.judgement:Judgement._retire", _ALL),
    Stage("vault", "ack", "hsm_module.sessions.signing:SigningSessions._acknowledge", _ALL),
    Stage("vault", "settle", "hsm_module.key_transaction:_settle", _AROUND),
    Stage("vault", "activate", "hsm_module.sessions.enrolment:EnrolmentSessions._activate", _ALL),
    Stage("vault", "register", "hsm_module.requests:Requests.register", _DURABLE),
    Stage("vault", "burn", "hsm_module.requests:Requests.burn", _DURABLE),
    Stage("vault", "certificate", "hsm_module.keys:Keys.issue_certificate", _DURABLE),
    Stage("vault", "device", "hsm_module.keys:Keys.issue_device_certificate", _DURABLE),
    Stage("vault", "transfer", "hsm_module.sessions.transfer:TransferSessions._go_live", _DURABLE),
    Stage("vault", "prove", "hsm_module.judgement:Judgement._judge_transfer", _AROUND),
    Stage("vault", "renew", "hsm_module.sessions.transfer:TransferSessions._store", _ALL),
    Stage("vault", "suspend", "hsm_module.keys:Keys.suspend_by_code", _DURABLE),
    Stage("vault", "list", "hsm_module.trust.crl_office:CrlOffice.make", _ALL),
    Stage("vault", "restore", "hsm_module.restore:_restore_key", _DURABLE),
    Stage("vault", "void", "hsm_module.restore:_burn", _DURABLE),
    Stage("vault", "manifest", "hsm_module.token.making:write_manifest", _AROUND),
    Stage("vault", "destroy", "hsm_module.token.pinning:destroy", _AROUND),
    Stage("vault", "rewrap", "hsm_module.admin.rotation:Rotation._write", _DURABLE),
    Stage("vault", "end", "hsm_module.admin.keys:KeyDesk.end", _DURABLE),
    Stage("vault", "mark", "hsm_module.admin.keys:KeyDesk.mark_for_refresh", ("commit",)),
    Stage("signer", "job", "signer_core.admin.jobs:JobDesk.create", ("commit",)),
    Stage("signer", "follow", "signer_core.admin.following:Following.follow", ("before",)),
    Stage("signer", "note", "signer_core.admin.jobs:JobDesk.note", _DURABLE),
    Stage("signer", "store", "signer_core.storage.signer.requests:Requests.add", _DURABLE),
    Stage("signer", "open", "signer_core.storage.signer.requests:Requests.open", _ALL),
    Stage("signer", "collect", "signer_core.signing.collect:Collection._consume", ("before",)),
    Stage("signer", "consume", "signer_core.storage.signer.requests:Requests.consume", _ALL),
    Stage("signer", "intend", "signer_core.storage.signer.requests:Requests.intend", _DURABLE),
    Stage("signer", "burned", "signer_core.storage.signer.requests:Requests.settle_burned", _ALL),
    Stage("signer", "claim", "signer_core.storage.signer.offers:Offers.claim", _ALL),
    Stage("signer", "take", "signer_core.storage.signer.offers:Offers.collect", _DURABLE),
    Stage("signer", "device", "signer_core.storage.signer.devices:Devices.enrol", _ALL),
    Stage(
        "signer",
        "certificate",
        "signer_core.storage.signer.certificates:Certificates.store",
        _ALL,
    ),
    Stage("phone", "share", "mobile_share.share_file.store:ShareStore.create", _AROUND),
    Stage("phone", "next", "mobile_share.share_file.store:ShareStore.add_next", _AROUND),
    Stage("phone", "pending", "mobile_share.session:SigningSession._store_pending", _AROUND),
    Stage("phone", "draft", "mobile_share.files:_write_new", ("after",)),
    Stage("phone", "epoch", "mobile_share.session:SigningSession._store_epoch", _AROUND),
    Stage("phone", "certificate", "mobile_share.phone:Phone.store_certificate", _AROUND),
)

POINTS: Final = tuple(point for stage in STAGES for point in stage.points)
