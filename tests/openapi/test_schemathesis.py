"""The OpenAPI document is true: schemathesis makes requests from it, good and bad, and finds nothing that it does not tell."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
import uvicorn

from headwater.app import Headwater
from headwater.settings import Settings
from headwater.web.server import configured, listening
from tests.web.conftest import LABORATORY, PREFIXES

pytestmark = [pytest.mark.schemathesis, pytest.mark.server]
HERE = Path(__file__).parent
SEED = 7
PROGRAM = shutil.which("schemathesis", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Headwater, str]]:
    """The laboratory, with a token so that writing is tried, too."""
    (tmp_path / "lab.ttl").write_text(PREFIXES + LABORATORY, encoding="utf-8")
    with Headwater.open(Settings(data=tmp_path / "data", requests_per_minute=0, audits="manual")) as headwater:
        headwater.import_source(tmp_path / "lab.ttl")
        with listening("127.0.0.1", 0) as listener:
            server = uvicorn.Server(configured(headwater))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            while not server.started:
                time.sleep(0.02)
            yield headwater, f"http://127.0.0.1:{listener.getsockname()[1]}"
            server.should_exit = True
            thread.join()


def test_schemathesis_finds_nothing(served: tuple[Headwater, str], tmp_path: Path) -> None:
    headwater, address = served
    if PROGRAM is None:
        pytest.skip("schemathesis is not installed (the extra 'openapi')")
    token = headwater.tokens.create("schemathesis", "admin")
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(HERE),
        "HEADWATER_LAST": str(headwater.sequence),
        "HEADWATER_YEAR": str(datetime.now(UTC).year - 1),
    }
    command = [PROGRAM, "--config-file", str(HERE / "schemathesis.toml"), "run", f"{address}/openapi.json"]
    # By number and not by time, so that a fast machine tries what a slow one does. The phase that follows links makes requests
    # of what came before and so others each time: it is for longer runs by hand (docs/conformance.md).
    command += ["--header", f"Authorization: Bearer {token}", "--checks", "all", "--phases", "coverage,fuzzing"]
    command += ["--seed", str(SEED), "--max-examples", "15", "--generation-database", "none", "--no-color"]
    # OpenAPI 3.1 has no method QUERY, which /sparql takes; 3.2 will. What is not taken is tried in tests/web.
    command += ["--exclude-checks", "unsupported_method,allow_header_conformance"]
    command += ["--suppress-health-check", "filter_too_much,too_slow,data_too_large"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=900, cwd=tmp_path, env=environment)
    assert told.returncode == 0, told.stdout[-20_000:] + told.stderr[-2_000:]
    assert httpx.get(f"{address}/health/ready", timeout=30).status_code == 200


def test_the_document_is_openapi_3_1(served: tuple[Headwater, str]) -> None:
    if find_spec("openapi_spec_validator") is None:
        pytest.skip("openapi-spec-validator is not installed (the extra 'openapi')")
    code = "import json, sys; from openapi_spec_validator import OpenAPIV31SpecValidator as V; V(json.load(sys.stdin)).validate()"
    document = httpx.get(f"{served[1]}/openapi.json", timeout=30).text
    assert json.loads(document)["openapi"].startswith("3.1")
    told = subprocess.run([sys.executable, "-c", code], input=document, capture_output=True, text=True, timeout=120)
    assert told.returncode == 0, told.stderr
