"""Editors of queries in a real browser: YASGUI, which most sites use, on another origin; and our own with its script."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from headwater.app import Headwater
from headwater.settings import Settings
from headwater.web.server import configured, listening

pytestmark = [pytest.mark.browser, pytest.mark.server]

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
PACKAGES = ("@zazuko/yasgui@4.6.2", "puppeteer-core@24.8.2")
"""What is tried, and what presses the keys: exact versions, fetched when the test runs and kept nowhere."""
DOCUMENT = """
@prefix hw: <https://w3id.org/headwater/terms#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<http://127.0.0.1:8321/id/model/svm> a hw:Model ; rdfs:label "digits-svm" .
<http://127.0.0.1:8321/id/model/tree> a hw:Model ; rdfs:label "digits-tree" .
"""
LABELLED = "?s a <https://w3id.org/headwater/terms#Model> ; <http://www.w3.org/2000/01/rdf-schema#label> ?l"
QUERIES = [
    f"SELECT ?s ?l {{ {LABELLED} }}",
    "ASK { ?s ?p ?o }",
    f"CONSTRUCT WHERE {{ {LABELLED} }}",
    "SELECT ?s { ?s ?p }",
]


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and keeps it to itself."""

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A site of its own origin that puts YASGUI up: its folder and its address."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("no npm on this machine, which fetches YASGUI")
    folder = tmp_path_factory.mktemp("yasgui")
    for name in ("index.html", "start.js", "drive.mjs", "type.mjs"):
        shutil.copy(Path(__file__).parent / "editors" / name, folder)
    command = ["npm", "install", "--prefix", str(folder), "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES]
    fetched = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=folder)
    assert fetched.returncode == 0, fetched.stderr
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _shown(site: tuple[Path, str], tmp_path: Path, origins: tuple[str, ...]) -> list[dict[str, Any]]:
    """What YASGUI shows of each of the queries, asked of a service that these origins may ask."""
    folder, address = site
    with _serving(tmp_path, origins) as endpoint:
        found = _driven(
            folder, "drive.mjs", f"{address}/index.html?endpoint={endpoint}", tmp_path / "picture", json.dumps(QUERIES)
        )
    assert isinstance(found, list)
    return found


@contextmanager
def _serving(tmp_path: Path, origins: tuple[str, ...]) -> Iterator[str]:
    """The address of an endpoint with two models."""
    source = tmp_path / "models.ttl"
    source.write_text(DOCUMENT, encoding="utf-8")
    settings = Settings(data=tmp_path / "data", store="memory", cors_origins=origins)
    with Headwater.open(settings) as headwater, listening("127.0.0.1", 0) as listener:
        headwater.import_source(source)
        server = uvicorn.Server(configured(headwater))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/sparql"
        server.should_exit = True
        thread.join(20)


def _driven(folder: Path, program: str, page: str, picture: Path, said: str = "") -> Any:
    """What a program that presses keys in a browser tells."""
    command = ["node", program, str(CHROMIUM), str(picture.with_name("profile")), page, str(picture)]
    done = subprocess.run(command, cwd=folder, input=said, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_yasgui_shows_rows_truth_graphs_and_errors(site: tuple[Path, str], tmp_path: Path) -> None:
    rows, truth, graph, wrong = _shown(site, tmp_path, (site[1],))
    assert (rows["rows"], "digits-svm" in rows["shown"], "digits-tree" in rows["shown"]) == (2, True, True)
    assert "True" in truth["shown"]
    assert (graph["rows"], "headwater/terms#Model" in graph["shown"]) == (4, True)
    assert "The query does not parse" in wrong["error"]
    assert (tmp_path / "picture-4.png").stat().st_size > 10_000


def test_a_site_that_was_not_named_gets_nothing(site: tuple[Path, str], tmp_path: Path) -> None:
    for one in _shown(site, tmp_path, ("https://yasgui.example",)):
        assert one["rows"] == 0
        assert "digits" not in one["shown"]
        assert "True" not in one["shown"]


def test_our_editor_completes_looks_over_and_runs_by_the_keyboard(site: tuple[Path, str], tmp_path: Path) -> None:
    with _serving(tmp_path, ()) as endpoint:
        told = _driven(site[0], "type.mjs", endpoint, tmp_path / "picture.png")
    assert told["complaints"] == []
    assert told["offered"][0] == "hw:Model"
    assert told["completed"] == "PREFIX hw: <https://w3id.org/headwater/terms#>\nSELECT * { ?m a hw:Model"
    assert told["focused"] == "query"
    assert told["wrong"].startswith("Line 2, column 10: “{” is not closed")
    assert told["right"] == ""
    assert told["left"] != "query", "the key Tab leaves the field when nothing is offered"
    assert told["answer"] == "2 rows"
