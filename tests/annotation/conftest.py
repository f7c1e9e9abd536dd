"""The real Label Studio: its database is migrated once and copied for each test."""

import os
import shutil
from pathlib import Path

import pytest

from forewarn.annotation import server as local
from forewarn.annotation.client import Studio

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def studio_program():
    folder = Path(os.environ.get(local.ENVIRONMENT, ROOT / ".venv-label-studio"))
    program = folder / "bin" / "label-studio"
    assert program.is_file(), f"{program} is missing; run 'make {folder.name}/installed'"
    return program


@pytest.fixture(scope="session")
def migrated(studio_program, request):
    """The folder of a server that was started once: an empty database and a log-in.

    It is kept between runs of the tests, as the migrations take the better part of a minute.
    """
    home = request.config.cache.mkdir(f"label-studio-{local.VERSION}")
    if not (home / "done").is_file():
        local.start(home, program=studio_program).stop()
        (home / "done").touch()
    return home


@pytest.fixture
def server(migrated, studio_program, tmp_path):
    home = tmp_path / "server"
    home.mkdir()
    for name in (local.LOGIN, "label_studio.sqlite3"):
        shutil.copy(migrated / name, home / name)
    running = local.start(home, program=studio_program, port=local._any_port())
    yield running
    running.stop()


@pytest.fixture
def studio(server):
    return Studio(server.url, server.login.token)
