"""A partner's site that signs its visitors in with OpenID Connect."""
