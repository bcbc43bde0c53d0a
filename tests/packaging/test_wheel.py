"""What is built holds all that git holds, and runs the demonstration from a fresh environment in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = {"ontology": "ontology", "shapes": "shapes", "queries": "queries", "examples/demo": "demo"}

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("packaging")]


def tracked(folder: str) -> set[str]:
    listed = subprocess.run(["git", "ls-files", "-z", folder], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("this is not a git checkout, so there is nothing to compare with")
    return {str(Path(name).relative_to(folder)) for name in listed.stdout.split("\0") if name}


def run(command: list[str], folder: Path) -> str:
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    answer = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert answer.returncode == 0, f"{' '.join(command)}\n{answer.stdout[-3000:]}\n{answer.stderr[-3000:]}"
    return answer.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)], folder)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = built.glob("headwater-*.whl")
    return found


@pytest.fixture(scope="module")
def sdist(built: Path) -> Path:
    (found,) = built.glob("headwater-*.tar.gz")
    return found


class Fresh:
    """A new environment that has our dependencies, as links to those of this one, but no Headwater."""

    def __init__(self, folder: Path) -> None:
        run([sys.executable, "-m", "venv", "--without-pip", str(folder)], folder.parent)
        programs = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = programs / "python"
        self.command = programs / "headwater"
        packages = folder / "packages"
        packages.mkdir()
        for name in ("purelib", "platlib"):
            for entry in Path(sysconfig.get_path(name)).iterdir():
                if "headwater" not in entry.name and not (packages / entry.name).exists() and entry.suffix != ".pth":
                    (packages / entry.name).symlink_to(entry)
        site = run([str(self.python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).strip()
        (Path(site) / "packages.pth").write_text(f"{packages}\n")

    def install(self, *what: str) -> None:
        offline = ["--no-index", "--no-deps", "--no-build-isolation", "--quiet", "--disable-pip-version-check"]
        run([str(self.python), "-m", "pip", "install", *offline, *what], self.python.parent)

    def place(self, folder: Path) -> Path:
        """Where the installed package lies."""
        return Path(run([str(self.python), "-c", "import headwater; print(headwater.__file__)"], folder).strip()).parent


def test_the_wheel_ships_exactly_what_git_holds(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for source, target in SHIPPED.items():
        inside = f"headwater/_data/{target}/"
        assert {name.removeprefix(inside) for name in names if name.startswith(inside)} == tracked(source), source
    code = {name.removeprefix("headwater/") for name in names if name.startswith("headwater/") and "/_data/" not in name}
    assert code == tracked("service/headwater")


def test_the_wheel_carries_its_licence_and_says_that_it_is_typed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert "headwater/py.typed" in names


def test_the_sdist_holds_all_that_tests_and_builds_need(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    missing = {name for name in tracked(".") if name not in names and not name.startswith((".ci/", ".git"))}
    assert missing == set()


@pytest.mark.parametrize("form", ["wheel", "sdist", "editable"])
def test_the_demonstration_runs_from_a_fresh_environment(form: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    fresh = Fresh(tmp_path / "environment")
    if form == "editable":
        fresh.install("--editable", str(ROOT))
    else:
        fresh.install(str(request.getfixturevalue(form)))
    empty = tmp_path / "empty"
    empty.mkdir()
    place = fresh.place(empty)
    assert place.is_relative_to(ROOT if form == "editable" else tmp_path)
    printed = run([str(fresh.command), "demo", "--no-serve"], empty)
    assert "affected" in printed
