"""What can go wrong on an officer's own machine; the system's errors are `signer_core.errors`."""


class OfficerError(Exception):
    """Base class; `str(error)` is one sentence for a person."""


class KeyFileError(OfficerError):
    """The key file cannot be used: missing, damaged, another officer's, or a wrong passphrase."""


class RefusedError(OfficerError):
    """The officer said no, or could not be asked."""


class FileError(OfficerError):
    """A file cannot be read or written."""
