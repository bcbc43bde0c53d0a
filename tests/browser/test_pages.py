"""The pages in a real browser: painted, styled in light and dark, and without a complaint in the console."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from headwater.app import Headwater
from headwater.settings import Settings
from headwater.web.server import configured, listening

pytestmark = [pytest.mark.browser, pytest.mark.server]

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
# As root, and without the lookups that a browser makes of its own accord.
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
]
DOCUMENT = """
@prefix hw: <https://w3id.org/headwater/terms#> . @prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix : <http://127.0.0.1:8321/id/dataset/> .
:digits a hw:Dataset ; rdfs:label "digits <b>first</b> labels" .
<http://127.0.0.1:8321/id/run/fit> a hw:Run ; rdfs:label "fit svm" ; prov:used :digits .
<http://127.0.0.1:8321/id/model/svm> a hw:Model ; rdfs:label "digits-svm" ;
    prov:wasGeneratedBy <http://127.0.0.1:8321/id/run/fit> .
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of one's own, on any free port."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    folder = tmp_path_factory.mktemp("browser")
    source = folder / "digits.ttl"
    source.write_text(DOCUMENT, encoding="utf-8")
    with Headwater.open(Settings(data=folder / "data", store="memory")) as headwater, listening("127.0.0.1", 0) as listener:
        headwater.import_source(source)
        server = uvicorn.Server(configured(headwater))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


def _browse(profile: Path, *arguments: str) -> tuple[str, str]:
    assert CHROMIUM is not None
    command = [CHROMIUM, *QUIET, f"--user-data-dir={profile}", *arguments]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    return done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def _rows(png: bytes) -> list[bytes]:
    """The scan lines of a PNG as they are packed: enough to tell whether anything was painted."""
    data, at = b"", 8
    while at < len(png):
        size = struct.unpack(">I", png[at : at + 4])[0]
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + size]
        at += size + 12
    width, height = struct.unpack(">II", png[16:24])
    plain = zlib.decompress(data)
    stride = len(plain) // height
    assert stride > width
    return [plain[i * stride : (i + 1) * stride] for i in range(height)]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/object/model/svm",
        "/lineage?id=model/svm&direction=both",
        "/lineage?question=explain&id=dataset/digits&to=model/svm&change=retracted",
        "/sparql",
        "/docs",
        "/audits",
        "/sparql?query=ASK%20%7B%7D",
        "/search",
    ],
)
def test_a_page_is_read_by_a_browser_without_complaint(address: str, tmp_path: Path, path: str) -> None:
    dom, console = _browse(tmp_path, "--dump-dom", address + path)
    assert "<h1" in dom
    assert "</footer>" in dom
    assert not re.search(r"(?i)CONSOLE.*(refused|violat|error|failed to load)", console), console


def test_the_picture_on_a_landing_page_is_links_in_the_dom(address: str, tmp_path: Path) -> None:
    dom, _ = _browse(tmp_path, "--dump-dom", f"{address}/object/run/fit")
    picture = re.search(r"<svg[^>]*hw-picture.*?</svg>", dom, re.DOTALL)
    assert picture is not None
    assert 'href="/object/model/svm"' in picture[0]
    assert "digits &lt;b&gt;first&lt;/b&gt;" in picture[0].replace("\n", " ")


def test_light_and_dark_are_both_painted(address: str, tmp_path: Path) -> None:
    shots = {}
    for name, more in (("light", []), ("dark", ["--blink-settings=preferredColorScheme=0"])):
        file = tmp_path / f"{name}.png"
        _browse(tmp_path / name, "--window-size=1280,900", f"--screenshot={file}", *more, f"{address}/object/model/svm")
        shots[name] = _rows(file.read_bytes())
        assert len(set(shots[name])) > 100
    assert shots["light"] != shots["dark"]
