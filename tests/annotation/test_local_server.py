"""The local server and how the commands find their way to one."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from forewarn.annotation import server as local
from forewarn.annotation.client import Studio, StudioError, find_token
from forewarn.cli import app


@pytest.fixture
def decoy():
    """Another program, that also answers on its port that it is healthy."""

    class Healthy(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer((local.HOST, 0), Healthy) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running.server_port
        running.shutdown()
        thread.join()


def test_start_prints_the_way_in_and_ends_cleanly(home, studio_program, tmp_path):
    (tmp_path / "one.txt").write_text("The weavers went home.")
    environment = {**os.environ, local.ENVIRONMENT: str(studio_program.parents[1])}
    words = ["annotate", "start", str(tmp_path / "one.txt"), "--home", str(home)]
    process = subprocess.Popen(
        [sys.executable, "-m", "forewarn", *words, "--no-predictions", "--project", "Mine"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        login = local.read_login(home)
        assert "1 documents added" in said and f"password   {login.password}" in said
        assert re.search(rf"open       {login.url}/projects/\d+/", said)
        assert login.token not in said
        found = CliRunner().invoke(
            app, ["annotate", "status", "--home", str(home), "--project", "Mine"]
        )
        assert found.exit_code == 0 and "1 documents, 0 with work" in found.stdout, found.output
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
    assert (home / local.LOGIN).stat().st_mode & 0o777 == 0o600


def test_a_taken_port_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(StudioError, match="is in use; give another"):
            local.start(tmp_path, port=taken.getsockname()[1], program=tmp_path)


def test_another_server_on_the_port_is_not_taken_for_ours(home, studio_program, decoy, monkeypatch):
    # As when two are started at once: the port was free when it was chosen, and then it was not.
    monkeypatch.setattr(local, "_is_free", lambda port: True)
    with pytest.raises(StudioError, match=f"port {decoy} is in use; give another"):
        local.start(home, port=decoy, program=studio_program)
    monkeypatch.setattr(local, "_free_port", lambda port: decoy)
    running = local.start(home, program=studio_program)
    try:
        assert running.url != f"http://{local.HOST}:{decoy}"
        assert Studio(running.url, running.login.token).users()  # the decoy would know nobody
        assert local.read_login(home) == running.login
    finally:
        running.stop()


def test_a_port_lost_at_the_last_moment_is_left_for_another(tmp_path):
    program = tmp_path / "label-studio"
    program.write_text(
        f"#!{sys.executable}\nimport http.server, os, sys\n"
        "if not os.path.exists('lost'):\n"
        "    open('lost', 'w').close()\n"
        "    sys.exit('Error: That port is already in use.')\n"
        "class Healthy(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200)\n"
        "        self.end_headers()\n"
        "address = ('127.0.0.1', int(sys.argv[-1]))\n"
        "http.server.HTTPServer(address, Healthy).serve_forever()\n"
    )
    program.chmod(0o755)
    said = []
    running = local.start(tmp_path / "home", program=program, say=said.append)
    running.stop()
    first, second = said
    assert running.url in second and running.url not in first
    (tmp_path / "home" / "lost").unlink()
    with pytest.raises(StudioError, match="is in use; give another"):
        local.start(tmp_path / "home", port=local._any_port(), program=program)


def test_a_server_that_ends_at_once_is_reported_with_its_last_words(tmp_path):
    program = tmp_path / "label-studio"
    program.write_text("#!/bin/sh\necho no database today\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(StudioError, match="no database today"):
        local.start(tmp_path / "home", program=program)


def test_an_environment_without_label_studio_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(local.ENVIRONMENT, str(tmp_path))
    with pytest.raises(StudioError, match="no such program"):
        local.install(tmp_path / "home")


def test_the_token_comes_from_the_environment_or_the_keyring(monkeypatch):
    import keyring
    from keyring.backend import KeyringBackend

    class InMemory(KeyringBackend):
        priority = 1
        stored = ("forewarn-label-studio", "https://studio.example.org")

        def get_password(self, service, username):
            return "from the keyring" if (service, username) == self.stored else None

        def set_password(self, service, username, password):
            raise NotImplementedError("read only")

    before = keyring.get_keyring()
    keyring.set_keyring(InMemory())
    try:
        monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
        assert find_token("https://studio.example.org/") == "from the keyring"
        with pytest.raises(StudioError, match="keyring set forewarn-label-studio"):
            find_token("https://other.example.org")
        monkeypatch.setenv("LABEL_STUDIO_API_KEY", "from the environment")
        assert find_token("https://other.example.org") == "from the environment"
    finally:
        keyring.set_keyring(before)


def test_without_a_server_the_commands_say_which_to_name(tmp_path, monkeypatch):
    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)
    result = CliRunner().invoke(app, ["annotate", "status", "--home", str(tmp_path)])
    assert result.exit_code == 2 and "which server?" in result.stderr
