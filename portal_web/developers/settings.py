"""Settings of an OpenID Connect client, to be copied into its environment."""

import shlex
from typing import Final

from grpc_api.clients.partners import MadePartner

SCOPE: Final = "openid profile"


def client_settings(issuer: str, made: MadePartner, return_address: str) -> str:
    """Return lines NAME=value, quoted as a shell wants it."""
    method = "client_secret_basic" if made.secret else "private_key_jwt"
    values = {
        "OIDC_ISSUER": issuer,
        "OIDC_DISCOVERY": f"{issuer}/.well-known/openid-configuration",
        "OIDC_CLIENT_ID": made.partner_id,
        **({"OIDC_CLIENT_SECRET": made.secret} if made.secret else {}),
        "OIDC_CLIENT_AUTH": method,
        "OIDC_REDIRECT_URI": return_address,
        "OIDC_SCOPE": SCOPE,
    }
    return "\n".join(f"{name}={shlex.quote(value)}" for name, value in values.items())
