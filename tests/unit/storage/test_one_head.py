"""Every database has one newest revision: two are two changes that do not know each other."""

import pytest
from alembic.script import ScriptDirectory

from deploy.home import REPOSITORY

FOLDERS = sorted(
    found.parent
    for found in REPOSITORY.glob("*/**/migrations/versions")
    if ".venv" not in found.parts
)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(REPOSITORY)))
def test_every_database_has_one_newest_revision(folder):
    assert len(ScriptDirectory(str(folder)).get_heads()) == 1


def test_the_databases_are_those_of_vault_signer_and_registrar():
    assert len(FOLDERS) == 3
