"""Country profiles shipped with the program, as text for `country.parse_country`."""

from importlib.resources import files

from signer_core.errors import NotFoundError


def bundled_country(code: str) -> str:
    """Return the TOML text of a profile shipped with the program, for example `ua`."""
    profile = files(__package__) / f"{code}.toml"
    if not code.isalpha() or not profile.is_file():
        raise NotFoundError("no country profile of that name is shipped")
    return profile.read_text(encoding="utf-8")
