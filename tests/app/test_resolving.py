"""Going to the places where data are stated to lie: files with their digests, servers of all sorts, and what is never asked."""

from __future__ import annotations

import hashlib
import http.server
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from headwater.app import reaching
from headwater.app.reaching import is_public
from headwater.app.resolving import MOST_PLACES, Resolver
from headwater.checking.places import Address, Sighting
from headwater.settings import Settings

TEXT = b"a,b\n1,2\n"
SHA = "sha256:" + hashlib.sha256(TEXT).hexdigest()
OTHER = "sha256:" + "0" * 64


def at(text: str, *digests: str, folders: list[Path] | None = None, **settings: object) -> Sighting:
    made = Resolver(Settings(**settings), folders)  # type: ignore[arg-type]
    return made([Address("urn:d", text, frozenset(digests))])[0]


class Site(http.server.BaseHTTPRequestHandler):
    """Answers by the path: a status, where to go on, or nothing for a while."""

    asked: ClassVar[list[str]] = []

    def do_HEAD(self) -> None:
        Site.asked.append(f"{self.command} {self.path}")
        what, _, onwards = self.path.strip("/").partition("/")
        if what == "slow":
            time.sleep(1.5)
        if what == "drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for _ in range(40):
                time.sleep(0.1)
                self.wfile.write(b"X")
            return
        if what == "noise":
            self.wfile.write(b"no protocol of ours\r\n\r\n")
            return
        if what == "headless":
            self.send_response(405 if self.command == "HEAD" else 206)
        elif what == "to":
            self.send_response(302)
            self.send_header("Location", onwards.replace("~", "/", 3) if onwards.startswith(("http", "file")) else f"/{onwards}")
        else:
            self.send_response(int(what) if what.isdigit() else 200)
        self.end_headers()

    do_GET = do_HEAD

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "state", "reason"),
    [
        ("data.csv", "resolvable", "there"),
        ("304", "resolvable", "there"),
        ("404", "gone", "not-found"),
        ("410", "gone", "not-found"),
        ("401", "not_checked", "login"),
        ("403", "not_checked", "login"),
        ("500", "not_checked", "answer"),
        ("429", "not_checked", "answer"),
        ("headless", "resolvable", "there"),
        ("to/data.csv", "resolvable", "there"),
        ("to/404", "gone", "not-found"),
        ("to/to/to/to/to/data.csv", "resolvable", "there"),
        ("to/to/to/to/to/to/data.csv", "not_checked", "redirects"),
        ("to/file:~~~etc/passwd", "not_checked", "redirects"),
        ("noise", "not_checked", "no-answer"),
        ("a file with spaces", "resolvable", "there"),
    ],
)
def test_what_a_server_says(path: str, state: str, reason: str, site: str) -> None:
    found = at(f"{site}/{path}", resolve_private=True)
    assert (found.state, found.reason) == (state, reason)


def test_nothing_is_fetched_but_from_a_server_that_knows_no_head(site: str) -> None:
    Site.asked.clear()
    at(f"{site}/data.csv", resolve_private=True)
    at(f"{site}/headless", resolve_private=True)
    assert Site.asked == ["HEAD /data.csv", "HEAD /headless", "GET /headless"]


@pytest.mark.parametrize("path", ["slow", "drip"])
def test_nobody_is_waited_for_longer_than_the_setting_says(path: str, site: str) -> None:
    began = time.monotonic()
    assert at(f"{site}/{path}", resolve_private=True, resolve_timeout_s=1).reason == "no-answer"
    assert time.monotonic() - began < 3


def test_a_server_that_is_not_there_says_nothing_about_the_data() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found = at(f"http://127.0.0.1:{port}/data.csv", resolve_private=True)
    assert (found.state, found.reason) == ("not_checked", "no-answer")


def test_private_networks_are_not_asked(site: str) -> None:
    Site.asked.clear()
    for url in (f"{site}/data.csv", site.replace("127.0.0.1", "localhost"), "http://169.254.169.254/latest", "http://[::1]/"):
        assert at(url).reason == "private"
    assert Site.asked == []


def test_a_name_that_leads_elsewhere_the_second_time_helps_nobody(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(site.rpartition(":")[2])
    answers = iter(["93.184.215.14", "127.0.0.1"])
    connected: list[object] = []

    def resolved(_host: str, number: int, **_: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), number))]

    def connect(where: tuple[str, int], _timeout: object) -> socket.socket:
        connected.append(where)
        raise ConnectionRefusedError

    monkeypatch.setattr(reaching.socket, "getaddrinfo", resolved)
    monkeypatch.setattr(reaching.socket, "create_connection", connect)
    at(f"http://rebinding.example:{port}/data.csv")
    assert connected == [("93.184.215.14", port)]


def test_a_public_server_that_leads_into_a_private_network_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(_self: object, url: str, _method: str, _until: float) -> tuple[int, str | None]:
        asked.append(url)
        if "public" not in url:
            raise reaching.Private
        return 302, "http://10.0.0.7/secrets"

    monkeypatch.setattr(Resolver, "_asked", answer)
    assert at("https://public.example/d").reason == "private"
    assert asked == ["https://public.example/d", "http://10.0.0.7/secrets"]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("2606:4700::1111", True),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("64:ff9b::a00:7", False),
        ("2002:a00:7::", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("100.64.0.1", False),
        ("240.0.0.1", False),
        ("no address", False),
    ],
)
def test_public_and_private_networks_are_told_apart(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("s3://bucket/a.csv", "scheme"),
        ("mlflow-artifacts:/1/a", "scheme"),
        ("git@git.example:lab/a.git", "scheme"),
        ("data/a.csv", "no-path"),
        ("", "no-path"),
        ("file://elsewhere/a.csv", "scheme"),
        ("https://ada:secret@data.example/a.csv", "secret"),
        ("https:///a.csv", "redirects"),
        ("http://data.example:99999/", "no-answer"),
        ("/no-such-top/folder/a.csv", "elsewhere"),
        ("/a\0b", "no-path"),
    ],
)
def test_what_cannot_be_looked_up_is_said(address: str, reason: str) -> None:
    found = at(address)
    assert (found.state, found.reason) == ("not_checked", reason)


def test_a_file_is_compared_with_its_digests(tmp_path: Path) -> None:
    path = tmp_path / "a file.csv"
    path.write_bytes(TEXT)
    assert at(str(path)) == Sighting("resolvable", "there", "not_compared")
    assert at(path.as_uri(), SHA) == Sighting("resolvable", "there", "same")
    assert at(str(path), OTHER) == Sighting("resolvable", "there", "differs")
    assert at(str(path), OTHER, "md5:" + hashlib.md5(TEXT).hexdigest()).digest == "same"
    assert at(str(path), "mlflow:0a1b2c3d").digest == "not_compared"
    assert at(str(path), "sha256:abc").digest == "not_compared"
    assert at(str(path), OTHER, resolve_max_mb=0).digest == "not_compared"


def test_a_file_or_folder_that_is_gone_is_told_from_one_of_another_machine(tmp_path: Path) -> None:
    assert at(str(tmp_path)) == Sighting("resolvable", "there")
    assert at(str(tmp_path / "a.csv")) == Sighting("gone", "no-such-file")
    assert at(str(tmp_path / "no" / "folder" / "a.csv")) == Sighting("gone", "no-such-file")


def test_one_of_several_files_of_a_thing_may_be_a_part_of_it(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(TEXT if name == "a" else b"more")
    both = [Address("urn:d", str(tmp_path / name), frozenset([SHA])) for name in "ab"]
    assert [one.digest for one in Resolver(Settings(), None)(both)] == ["same", "not_compared"]


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert at(str(tmp_path / "pipe"), SHA) == Sighting("resolvable", "there")


def test_a_service_looks_into_its_folders_only(tmp_path: Path) -> None:
    shared, other = tmp_path / "shared", tmp_path / "other"
    for folder in (shared, other):
        folder.mkdir()
        (folder / "a.csv").write_bytes(TEXT)
    (shared / "way-out").symlink_to(other)
    assert at(str(shared / "a.csv"), SHA, folders=[shared]).digest == "same"
    for path in (other / "a.csv", shared / "way-out" / "a.csv", shared / ".." / "other" / "a.csv", other / "none"):
        assert at(str(path), SHA, folders=[shared]) == Sighting("not_checked", "folder")
    assert at(str(shared / "a.csv"), folders=[]) == Sighting("not_checked", "folder")


def test_of_very_many_places_the_rest_is_not_looked_at(tmp_path: Path) -> None:
    found = Resolver(Settings(), None)([Address("urn:d", str(tmp_path))] * (MOST_PLACES + 2))
    assert [one.reason for one in found[-3:]] == ["there", "too-many", "too-many"]


@pytest.mark.parametrize(
    ("identifier", "asked"), [("doi:10.5281/a b", "https://doi.org/10.5281/a%20b"), ("hdl:1/2", "https://hdl.handle.net/1/2")]
)
def test_a_pid_is_asked_of_its_resolver(identifier: str, asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    urls: list[str] = []
    monkeypatch.setattr(Resolver, "_web", lambda _, url: urls.append(url) or Sighting("resolvable", "there"))
    at(identifier)
    assert urls == [asked]
