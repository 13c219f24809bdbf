"""Write docs/sandbox-people.md from the list of made-up people."""

from pathlib import Path

from signer_core.identity.sandbox.people import OUTCOMES, load_people

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "sandbox-people.md"

_HEAD = """\
# Sandbox people

None of them exists. Their numbers have the right form and check digits, so that everything that reads them works as with real ones. The list is `signer_core/identity/sandbox/people.toml`; this page is made from it by `scripts/make_sandbox_people.py`.

An activation code for one of them comes from `signer.registrar.v1.SandboxService`. It has 10 characters, lives 24 hours and belongs to the first phone that uses it. Any picture of at most 256 KiB is a good photo, except where the list says otherwise.

"""  # noqa: E501  one paragraph, one line


def render() -> str:
    """Return the page."""
    people = [
        f"| `{one.person_id}` | {one.full_name} | {one.full_name_latin} | {one.birth_date} "
        f"| {one.rnokpp} | {one.unzr} | {one.document} | {one.behaviour} |\n"
        for one in load_people().values()
    ]
    outcomes = [f"| {behaviour} | {outcome} |\n" for behaviour, outcome in OUTCOMES.items()]
    return (
        f"{_HEAD}| id | name | in Latin letters | born | RNOKPP | UNZR | document | behaviour |\n"
        f"|---|---|---|---|---|---|---|---|\n{''.join(people)}\n"
        f"| behaviour | what happens |\n|---|---|\n{''.join(outcomes)}"
    )


if __name__ == "__main__":
    DOCUMENT.write_text(render(), encoding="utf-8")
