"""The lock holds every package with its hashes, for every platform, and names no address to fetch from."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(name: str) -> list[tuple[Requirement, list[str]]]:
    """The packages of a lock file, each with its hashes."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    entries = [line.partition("    #")[0].split() for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    found = []
    for words in entries:
        requirement = Requirement(" ".join(word for word in words if not word.startswith("--hash=")))
        found.append((requirement, [word.removeprefix("--hash=") for word in words if word.startswith("--hash=")]))
    return found


def versions(name: str, python: str) -> dict[str, Version]:
    """What a lock file installs for one Python on Linux."""
    environment = {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": "linux", "os_name": "posix"}
    chosen: dict[str, Version] = {}
    for requirement, _ in pins(name):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            assert requirement.name not in chosen, f"{requirement.name} is locked twice for Python {python}"
            chosen[canonicalize_name(requirement.name)] = Version(next(iter(requirement.specifier)).version)
    return chosen


RUNTIME = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
TESTING = [Requirement(text) for text in PROJECT["project"]["optional-dependencies"]["test"]]
BUILDING = [Requirement(text) for text in PROJECT["build-system"]["requires"]]


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("requirement", [*RUNTIME, *TESTING, *BUILDING], ids=str)
def test_each_dependency_of_the_project_is_locked_in_a_version_that_fits(requirement: Requirement, python: str) -> None:
    locked = versions("requirements.lock", python)
    name = canonicalize_name(requirement.name)
    assert name in locked, f"{name} is not in requirements.lock: run scripts/lock"
    assert requirement.specifier.contains(locked[name], prereleases=True)


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_the_image_gets_the_same_versions_that_the_tests_run_with(python: str) -> None:
    tested, shipped = versions("requirements.lock", python), versions("requirements-runtime.lock", python)
    assert shipped.items() <= tested.items()
    assert {canonicalize_name(requirement.name) for requirement in RUNTIME} <= shipped.keys()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-runtime.lock"])
class TestEachLock:
    def test_pins_everything_exactly_and_with_hashes(self, name: str) -> None:
        for requirement, hashes in pins(name):
            assert [specifier.operator for specifier in requirement.specifier] == ["=="], requirement
            assert hashes, f"{requirement} has no hash"
            assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in hashes), requirement

    def test_names_no_address_and_no_folder(self, name: str) -> None:
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text
        assert "file:" not in text


def test_the_script_that_makes_the_locks_is_readable_by_a_plain_shell() -> None:
    subprocess.run(["sh", "-n", str(ROOT / "scripts" / "lock")], check=True)
