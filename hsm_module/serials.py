"""Serial numbers of certificates."""

from cryptography import x509


def new_serial() -> int:
    """Return 127 random bits: a serial number that fits whole into a high-water mark."""
    return max(1, x509.random_serial_number() >> 32)
