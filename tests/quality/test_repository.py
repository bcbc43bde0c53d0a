"""What is in the repository is ours, points nowhere outside, and its documentation tells what the code does."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("this is not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def texts() -> list[tuple[Path, str]]:
    """The tracked files that are text."""
    found = []
    for path in tracked():
        content = path.read_bytes()
        if b"\0" not in content[:8192]:
            found.append((path, content.decode("utf-8", "replace")))
    return found


def forbidden() -> dict[str, re.Pattern[str]]:
    """Put together from pieces, so that this file does not hold what it looks for."""
    hosts = ["py" + "pi.org", "python" + "hosted.org", "registry." + "npm" + "js", "crates" + ".io", "repo1." + "maven"]
    registries = [*hosts, "deb." + "debian.org"]
    folders = ["/" + "work/", "/" + "root/", "/home/" + r"\w+/", "/opt/" + "wheels", "/" + r"tmp/\w+-"]
    return {
        "a package registry": re.compile("|".join(map(re.escape, registries))),
        "a folder of somebody's machine": re.compile("|".join(rf"(?<![\w.:/-]){folder}" for folder in folders)),
    }


@pytest.mark.parametrize("what", forbidden())
def test_no_file_names(what: str) -> None:
    pattern = forbidden()[what]
    # What real tools wrote under examples/demo is kept as it was written, paths and all.
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path, text in texts()
        if "examples/demo/" not in str(path)
        for match in pattern.finditer(text)
    ]
    assert found == []


def pages() -> list[Path]:
    return [*sorted((ROOT / "docs").rglob("*.md")), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"))]


def anchors(text: str) -> set[str]:
    """The link targets that a page's headings make."""
    headings = re.findall(r"(?m)^#+ (.+)$", re.sub(r"(?ms)^```.*?^```", "", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_each_link_of_the_page_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"(?ms)^```.*?^```", "", text)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        goal = (page.parent / name).resolve() if name else page
        assert goal.exists(), f"{page.name} points to {target}"
        if anchor:
            assert anchor in anchors(goal.read_text(encoding="utf-8")), f"{page.name} points to {target}"


def test_each_page_can_be_reached_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    reached, todo = set(), [index]
    while todo:
        page = todo.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        links = re.findall(r"\]\(([^)#\s]+\.md)[^)]*\)", page.read_text(encoding="utf-8"))
        todo += [(page.parent / link).resolve() for link in links if "://" not in link]
    assert {path for path in pages() if path.is_relative_to(ROOT / "docs")} <= reached


def test_the_changelog_tells_of_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert "## [Unreleased]" in text or f"## [{PROJECT['project']['version']}]" in text


def test_the_citation_file_is_about_this_version_and_licence() -> None:
    import yaml

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "type"} <= citation.keys()
    assert citation["version"] == PROJECT["project"]["version"]
    assert citation["license"] == PROJECT["project"]["license"]


def declared() -> list[str]:
    """All packages that the project names, whether needed to run or for an extra."""
    extras = PROJECT["project"]["optional-dependencies"].values()
    return [*PROJECT["project"]["dependencies"], *dict.fromkeys(text for extra in extras for text in extra)]


@pytest.mark.parametrize("text", declared())
def test_each_dependency_is_accounted_for(text: str) -> None:
    name = re.split(r"[<>=!~; \[]", text)[0]
    rows = re.findall(r"(?m)^\| ([\w.-]+) \|", (ROOT / "docs" / "dependencies.md").read_text())
    assert name in rows, f"{name} has no row in docs/dependencies.md"


def test_no_dependency_is_accounted_for_that_is_not_one() -> None:
    names = {re.split(r"[<>=!~; \[]", text)[0] for text in declared()}
    rows = set(re.findall(r"(?m)^\| ([\w.-]+) \|", (ROOT / "docs" / "dependencies.md").read_text())) - {"package", "---"}
    assert rows - names == set()


def test_the_page_of_settings_is_what_the_settings_say_of_themselves() -> None:
    made = subprocess.run([sys.executable, str(ROOT / "scripts" / "settings-page"), "--print"], capture_output=True, text=True)
    assert made.stdout == (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8"), "run scripts/settings-page"


def test_each_setting_says_what_it_is() -> None:
    from headwater.settings import Settings

    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
