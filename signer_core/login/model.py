"""A login: what is kept of it between its code and the end of its access token."""

from dataclasses import dataclass, field

CODE_S: int = 60  # an authorization code is good for
TOKEN_S: int = 900  # an access token is good for
PUSHED_S: int = 60  # a pushed authorization request is kept for (RFC 9126 §2.2)
MAX_ASSERTION_S: int = 3660  # how far ahead a client assertion may expire: an hour, and our clocks
MAX_PARAMETERS: int = 16 * 1024  # characters of a pushed request, JSON


@dataclass(frozen=True, slots=True)
class Login:
    """What a code or an access token stands for. Claims are JSON objects."""

    login_id: bytes  # 16 bytes, of the offer
    client_id: str
    redirect_uri: str
    scope: str  # what the person agreed to
    nonce: str = field(repr=False)  # or empty
    code_challenge: str
    auth_time_s: int  # Unix time of the approval
    claims: str = field(repr=False)  # sub, and what the person agreed to tell
    signature: str = field(repr=False)  # the claim `diia_signature`
    token_expires_at_s: int | None = None
