"""`headwater serve` as a process: it says where to look, takes writes as it should, and ends on Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Headwater = Callable[..., Any]
pytestmark = pytest.mark.server


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
        assert isinstance(port, int)
        return port


def _started(folder: Path, port: int, host: str = "127.0.0.1") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "headwater", "serve", "--data", str(folder), "--port", str(port), "--host", host]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ)
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2).close()
            return server
        except (urllib.error.URLError, ConnectionError):
            assert server.poll() is None, server.communicate()[1]
            time.sleep(0.1)
    server.kill()
    raise AssertionError(server.communicate()[1])


def _write(port: int, token: str | None = None) -> int:
    body = b"<https://e.x/m> a <http://www.w3.org/ns/mls#Model> ."
    headers = {"Content-Type": "text/turtle"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/records", body, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_server_says_where_to_look_takes_writes_and_ends_on_ctrl_c(headwater: Headwater, lab: Path) -> None:
    port = _free_port()
    server = _started(lab, port)
    try:
        assert _write(port) == 201
        made = headwater("token", "create", "ada", "--scope", "write", "--json", "--data", lab)
        assert _write(port) == 401, "from the first token on, this machine needs one too"
        assert _write(port, made.json["token"]) == 200
    finally:
        server.send_signal(signal.SIGINT)
        _, said = server.communicate(timeout=30)
    assert server.returncode == 0
    assert f"http://127.0.0.1:{port}/" in said
    assert "Traceback" not in said
    assert headwater("verify", "--data", lab).code == 0


def test_on_an_open_address_writes_are_refused_until_a_token_exists(lab: Path) -> None:
    port = _free_port()
    server = _started(lab, port, host="0.0.0.0")
    try:
        answered = json.loads(urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5).read())
        assert answered["status"] == "ready"
    finally:
        server.send_signal(signal.SIGTERM)
        _, said = server.communicate(timeout=30)
    assert "writes are refused until" in said
    assert server.returncode == 0


def test_an_import_that_is_stopped_leaves_whole_records_only(headwater: Headwater, tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(60):
        (many / f"{number}.ttl").write_text(f"<https://e.x/{number}> a <http://www.w3.org/ns/mls#Model> .")
    command = [sys.executable, "-m", "headwater", "import", str(many), "--data", "d"]
    importing = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while not (tmp_path / "d" / "ledger.sqlite").exists():
        assert importing.poll() is None
        time.sleep(0.02)
    time.sleep(0.6)
    importing.send_signal(signal.SIGINT)
    _, said = importing.communicate(timeout=30)
    assert "Traceback" not in said
    assert importing.returncode in (0, 130)
    assert headwater("verify", "--data", "d").code == 0
    assert headwater("import", many, "--data", "d").code == 0


def test_a_server_audits_by_itself_what_is_due(headwater: Headwater, lab: Path) -> None:
    (lab / "audit.json").unlink()
    port = _free_port()
    server = _started(lab, port)
    try:
        told: dict[str, Any] = {"last": None}
        for _ in range(300):
            told = json.loads(urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/audits", timeout=5).read())
            if told["last"] is not None:
                break
            time.sleep(0.1)
        assert (told["last"]["conforms"], told["due"], told["automatic"]) == (True, False, True)
    finally:
        server.send_signal(signal.SIGINT)
        _, said = server.communicate(timeout=30)
    assert (server.returncode, "Traceback" in said) == (0, False)
    assert "an audit is due" not in headwater("doctor", "--data", lab).out
