"""The notebooks are small, name nobody's machine, and say today what they said when their outputs were kept."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NEEDS_JAVA = {"04-reasoning-with-owlready2.ipynb"}
TOGETHER = 400_000
"""Bytes of all notebooks with their outputs; they are cloned with everything else."""
LONGEST_RUN_S = 300
HOSTS = {
    "127.0.0.1",
    "digits-lab.example",
    "example.org",
    "mex.aksw.org",
    "owlready2.readthedocs.io",
    "w3id.org",
    "www.w3.org",
}
"""The only hosts that a notebook may name: this machine, what is nobody's, vocabularies, and the manual of a library."""

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def said(cell: dict[str, Any]) -> list[tuple[str, str]]:
    """What a cell printed or showed, as text; of a picture only that there is one."""
    streams: dict[str, str] = {}
    shown = []
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream":
            streams[output["name"]] = streams.get(output["name"], "") + "".join(output["text"])
            continue
        data = output.get("data", {})
        shown.append(("shown", "".join(data.get("text/plain", ""))))
        shown += [("picture", kind) for kind in sorted(data) if kind.startswith("image/")]
    return [*streams.items(), *shown]


def texts(notebook: dict[str, Any]) -> str:
    """All that a person reads in a notebook: sources and outputs without the bytes of pictures."""
    parts = ["".join(cell["source"]) for cell in notebook["cells"]]
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            parts += ["".join(output.get("text", ""))]
            parts += ["".join(value) for kind, value in output.get("data", {}).items() if kind != "image/png"]
    return "\n".join(parts)


def test_the_six_notebooks_are_there() -> None:
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05", "06"]


def test_together_they_are_small() -> None:
    assert sum(path.stat().st_size for path in NOTEBOOKS) < TOGETHER


@each
class TestEachNotebook:
    def test_is_for_any_python_3_kernel(self, path: Path) -> None:
        notebook = read(path)
        assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
        assert notebook["metadata"] == {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }

    def test_has_cells_with_names_that_last(self, path: Path) -> None:
        names = [cell["id"] for cell in read(path)["cells"]]
        assert len(set(names)) == len(names)
        assert [name for name in names if not re.fullmatch(r"[a-z]+(-[a-z]+)*", name)] == []

    def test_begins_with_a_title_and_explains_before_it_shows(self, path: Path) -> None:
        cells = read(path)["cells"]
        assert "".join(cells[0]["source"]).startswith("# ")
        kinds = [cell["cell_type"] for cell in cells]
        assert kinds.count("markdown") >= 0.7 * kinds.count("code")

    def test_was_kept_as_one_clean_run(self, path: Path) -> None:
        code = [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]
        assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
        assert [output for cell in code for output in cell["outputs"] if output["output_type"] == "error"] == []
        assert [cell["id"] for cell in code if any(name == "stderr" for name, _ in said(cell))] == []

    def test_names_no_machine(self, path: Path) -> None:
        text = texts(read(path))
        assert re.findall(r"(?<![\w.:/#-])(?:/(?:home|root|tmp|work|opt|usr|var|Users|private)/\S*|[A-Z]:\\\S*)", text) == []
        assert set(re.findall(r"https?://([^/:\s\"'<>{}\\)]+)", text)) <= HOSTS

    @pytest.mark.notebooks
    def test_is_valid(self, path: Path) -> None:
        nbformat = pytest.importorskip("nbformat", reason="the extra 'notebooks' is not installed")
        nbformat.validate(nbformat.read(path, as_version=4))

    @pytest.mark.notebooks
    @pytest.mark.filterwarnings("default")  # those of Jupyter's own libraries
    def test_says_again_what_it_said(self, path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        running = pytest.importorskip("nbmake.nb_run", reason="the extra 'notebooks' is not installed")
        if path.name in NEEDS_JAVA and shutil.which("java") is None:
            pytest.skip("HermiT needs a Java runtime, and there is none on the path")
        monkeypatch.setenv("IPYTHONDIR", str(tmp_path))  # a kernel without anybody's start-up files
        result = running.NotebookRun(path, LONGEST_RUN_S).execute()
        assert result.error is None, result.error.trace
        kept = {cell["id"]: said(cell) for cell in read(path)["cells"]}
        assert {cell["id"]: said(cell) for cell in result.nb["cells"]} == kept
