"""A Label Studio of one's own: its own environment and database; it sends nothing anywhere."""

import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from forewarn.annotation.client import StudioError
from forewarn.jsonl import read_json

VERSION: Final = "1.23.2"
"""The version of Label Studio that is installed, and that the tests run."""

ENVIRONMENT: Final = "FOREWARN_LABEL_STUDIO"
"""Environment variable that names an environment in which Label Studio is installed already."""

LOGIN, LOG = "login.json", "server.log"
HOST: Final = "127.0.0.1"
START_SECONDS: Final = 900

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Login:
    """Who may enter the local server; kept beside its database, readable only by its owner."""

    email: str
    password: str
    token: str
    secret_key: str
    url: str = ""


@dataclass(slots=True)
class Server:
    """A running server; stop it when done."""

    url: str
    login: Login
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """End the server, and wait until it has ended."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def default_home() -> Path:
    """Name the folder of the local server.

    :return: the folder, in the user's data folder.
    """
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data) / "forewarn" / "label-studio"


def install(home: Path, say: Say = lambda _: None) -> Path:
    """Install Label Studio into an environment of its own, unless it is there.

    :param home: the server's folder.
    :param say: is told what takes long.
    :return: the program.
    :raises StudioError: if it cannot be installed.
    """
    named = os.environ.get(ENVIRONMENT)
    folder = Path(named) if named else home / "environment"
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    program, done = programs / "label-studio", folder / f"installed-{VERSION}"
    if named or done.is_file():
        if not program.is_file():
            raise StudioError(f"{program}: no such program; unset {ENVIRONMENT} or correct it")
        return program
    say(f"installing Label Studio {VERSION} into {folder} (once; about 1 GB, some minutes)")
    shutil.rmtree(folder, ignore_errors=True)
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [
            *(str(programs / "python"), "-m", "pip", "install", "--quiet"),
            *("--disable-pip-version-check", f"label-studio=={VERSION}"),
        ],
    ):
        finished = subprocess.run(command, capture_output=True, text=True)
        if finished.returncode:
            raise StudioError(
                f"Label Studio could not be installed: {finished.stderr.strip()[-500:]}\n"
                "Look whether the package index can be reached, then start again"
            )
    done.touch()
    return program


def read_login(home: Path) -> Login | None:
    """Read the log-in of a server that was started before.

    :param home: its folder.
    :return: the log-in, or None if there is none.
    """
    path = home / LOGIN
    return Login(**read_json(path)) if path.is_file() else None


def start(
    home: Path, *, port: int | None = None, program: Path | None = None, say: Say = lambda _: None
) -> Server:
    """Start the server and wait until it answers.

    :param home: the folder of its database, made if needed.
    :param port: the port; a free one from 8080 on if None.
    :param program: Label Studio's program; installed if None.
    :param say: is told what takes long.
    :return: the running server.
    :raises StudioError: if the port is taken, or the server ends or does not answer.
    """
    home = home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    program = program or install(home, say)
    login = read_login(home) or _new_login()
    port = _free_port(port)
    url = f"http://{HOST}:{port}"
    login = Login(**{**asdict(login), "url": url})
    _write_login(home, login)
    say(f"starting Label Studio on {url} (the first time about a minute)")
    with (home / LOG).open("ab") as log:
        process = subprocess.Popen(
            [str(program), "start", "--no-browser", "--internal-host", HOST, "--port", str(port)],
            env=_clean_environment(home, login),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    server = Server(url, login, process)
    try:
        _wait(server, port, home / LOG)
    except BaseException:
        server.stop()
        raise
    return server


def _clean_environment(home: Path, login: Login) -> dict[str, str]:
    # Label Studio also reads bare names such as HOST, PORT and DEBUG, so it gets no others.
    kept = {k: os.environ[k] for k in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT") if k in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "SECRET_KEY": login.secret_key,
        "LABEL_STUDIO_BASE_DATA_DIR": str(home),
        "LABEL_STUDIO_USERNAME": login.email,
        "LABEL_STUDIO_PASSWORD": login.password,
        "LABEL_STUDIO_USER_TOKEN": login.token,
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_LATEST_VERSION_CHECK": "false",
        "LABEL_STUDIO_COLLECT_ANALYTICS": "false",
        "LABEL_STUDIO_SENTRY_DSN": "",
        "LABEL_STUDIO_FRONTEND_SENTRY_DSN": "",
        "LABEL_STUDIO_ML_BLOCK_LOCAL_IP": "false",
        "LABEL_STUDIO_SSRF_PROTECTION_ENABLED": "false",
    }


def _new_login() -> Login:
    return Login(
        "annotator@example.com",
        secrets.token_urlsafe(9),
        secrets.token_hex(20),
        secrets.token_urlsafe(40),
    )


def _write_login(home: Path, login: Login) -> None:
    path = home / LOGIN
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(login), file)


def _free_port(port: int | None) -> int:
    if port is not None:
        if not _is_free(port):
            raise StudioError(f"port {port} is in use; give another by --port")
        return port
    return next((p for p in range(8080, 8180) if _is_free(p)), 0) or _any_port()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait(server: Server, port: int, log: Path) -> None:
    for _ in range(START_SECONDS * 2):
        if server.process.poll() is not None:
            break
        connection = http.client.HTTPConnection(HOST, port, timeout=5)
        try:
            connection.request("GET", "/health/")
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            pass  # not up yet
        finally:
            connection.close()
        time.sleep(0.5)
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
    raise StudioError(f"Label Studio did not start; see {log}:\n" + "\n".join(said))
