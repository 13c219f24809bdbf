"""ID tokens: signed with keys of the token that follow one another."""
