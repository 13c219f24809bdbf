"""What the log says about calls that come now: whether they may go on, and who is shut out."""

from dataclasses import dataclass, field

from signer_core.errors import UnavailableError


@dataclass(slots=True)
class AuditGate:
    """Asked at every call. Mutable: the keeper of the log sets it."""

    stopped: bool = False
    blocked: frozenset[str] = field(default=frozenset())  # sources

    def verify_open(self) -> None:
        """Check that what is done now will come into the log.

        Raises:
            UnavailableError: it would not; nothing begins until it does.
        """
        if self.stopped:
            raise UnavailableError("the audit log is not kept: nothing is signed until it is")

    def verify_source(self, source: str) -> None:
        """Check that a source is not shut out after a burst of wrong PINs.

        Raises:
            UnavailableError: it is, for some minutes.
        """
        if source in self.blocked:
            raise UnavailableError("too many wrong PINs came from here: wait a quarter of an hour")
