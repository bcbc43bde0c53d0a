"""The code is formatted, linted, fully typed and in its layers: the same tools that a developer runs, run as tests."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy --strict": ["mypy", "--strict"],
    "import-linter": ["importlinter.cli", "lint"],
}
LONGEST = 500
"""Lines in a file; STYLE's eighth habit. A file that needs more is two files."""
HOLLOW = {"utils", "util", "helpers", "helper", "manager", "common", "base", "core", "misc"}


@pytest.mark.parametrize("tool", TOOLS)
def test_tool_finds_nothing(tool: str) -> None:
    module, *arguments = TOOLS[tool]
    command = [sys.executable, "-m", module, *arguments]
    if module == "importlinter.cli":
        command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def python_files() -> list[Path]:
    """Every Python file that is ours."""
    folders = [ROOT / name for name in ("service", "tests", "bench", "examples")]
    return [ROOT / "start.py", *(path for folder in folders for path in sorted(folder.rglob("*.py")))]


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(ROOT)))
class TestEachFile:
    def test_is_short_enough_to_be_one_thing(self, path: Path) -> None:
        assert len(path.read_text(encoding="utf-8").splitlines()) < LONGEST

    def test_begins_by_saying_what_it_is_for(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        if path.name == "__init__.py" and not text.strip():
            pytest.skip("an empty package marker")
        docstring = ast.get_docstring(ast.parse(text))
        assert docstring, "no docstring"
        assert text.splitlines()[0].startswith('"""'), "the docstring is not on the first line"

    def test_has_a_name_from_the_field(self, path: Path) -> None:
        assert not HOLLOW & set(path.relative_to(ROOT).with_suffix("").parts)


def opens_store(path: Path) -> bool:
    """Does a file use pyoxigraph's Store (and not only its terms and parser)?"""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "pyoxigraph":
            if "Store" in {alias.name for alias in node.names}:
                return True
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "pyoxigraph.Store":
            return True
    return False


def test_only_the_store_opens_a_triplestore() -> None:
    """Layers are checked by module, and terms travel everywhere; this checks the one name that must not."""
    package = ROOT / "service" / "headwater"
    offenders = {str(path.relative_to(package)) for path in package.rglob("*.py") if opens_store(path)}
    # pyshacl judges a record in an Oxigraph made for it in memory and thrown away; that is nobody's triplestore.
    scratch = {"checking/judge.py"}
    assert {name for name in offenders if not name.startswith("store/")} <= scratch
    for name in scratch:
        assert not re.search(r"\bStore(\.read_only|\.secondary)?\([^)]", (package / name).read_text()), "a store with a path"
