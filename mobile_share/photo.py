"""The picture for the photo check."""

from typing import Final

SANDBOX_PHOTO: Final = b"sandbox photo"  # the sandbox photo check decides by the person
