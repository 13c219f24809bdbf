"""What the provider says of itself (OpenID Connect Discovery 1.0, RFC 8414, RFC 9207, RFC 9126)."""

from typing import Any

from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata

from portal_web.login.clients import SCOPES
from portal_web.login.grants import ACR, AUTH_METHODS
from signer_core.login.claims import LATIN


def metadata(issuer: str) -> dict[str, Any]:
    """Return the document; Authlib checks it."""
    found: dict[str, Any] = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "pushed_authorization_request_endpoint": f"{issuer}/oauth/par",
        "token_endpoint": f"{issuer}/oauth/token",
        "userinfo_endpoint": f"{issuer}/oauth/userinfo",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "end_session_endpoint": f"{issuer}/oauth/logout",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "acr_values_supported": [ACR],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": AUTH_METHODS,
        "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
        "revocation_endpoint_auth_methods_supported": AUTH_METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": ["ES256"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "require_pushed_authorization_requests": False,
        "claims_supported": _claims(),
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "ui_locales_supported": ["uk", "en"],
    }
    AuthorizationServerMetadata(found).validate()
    _ProviderMetadata(found).validate()
    return found


class _ProviderMetadata(OpenIDProviderMetadata):  # type: ignore[misc]  # Authlib has no types
    """Authlib's, without its wish for RS256: the keys of the token are on P-256."""

    def validate_id_token_signing_alg_values_supported(self) -> None:
        """Check nothing."""


def _claims() -> list[str]:
    protocol = ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash"]
    names = ["name", "given_name", "family_name"]
    latin = [name + LATIN for name in names]
    return [*protocol, "sid", *names, *latin, "person_code", "birthdate", "diia_signature"]
