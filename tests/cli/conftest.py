"""Running the command line in this process, and a small lab to run it on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from headwater.cli.program import execute

LAB = Path(__file__).parents[1] / "questions" / "lab.ttl"


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def problem(self) -> dict[str, Any]:
        found = json.loads(self.err)
        assert isinstance(found, dict)
        return found


Headwater = Callable[..., Ended]


@pytest.fixture
def headwater(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Headwater:
    """Runs a command in an empty working folder, where no setting of the machine reaches it."""
    monkeypatch.chdir(tmp_path)
    for name in ("HEADWATER_DATA", "HEADWATER_BASE_IRI", "HEADWATER_PORT"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> Ended:
        capfd.readouterr()
        code = execute([str(argument) for argument in arguments])
        said = capfd.readouterr()
        return Ended(code, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def lab_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small lab, imported once; importing it for each test would take half of their time."""
    folder = tmp_path_factory.mktemp("lab")
    assert execute(["import", str(LAB), "--data", str(folder)]) == 0
    return folder


@pytest.fixture
def lab(lab_once: Path, headwater: Headwater) -> Path:
    """A data folder of one's own that holds the small lab."""
    del headwater  # it sets the working folder, beside which this one is to lie
    shutil.copytree(lab_once, "lab")
    return Path("lab")
