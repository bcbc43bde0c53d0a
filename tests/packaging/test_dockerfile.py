"""Each path, stage, user, command and option that the Dockerfile names exists; there is no engine here to try it with."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Instruction(NamedTuple):
    """One line of a Dockerfile with its continuations; `stage` counts from 0."""

    stage: int
    word: str
    rest: str


def instructions() -> list[Instruction]:
    text = re.sub(r"(?m)^\s*#.*\n", "", (ROOT / "Dockerfile").read_text()).replace("\\\n", " ")
    found: list[Instruction] = []
    stage = -1
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        stage += word == "FROM"
        found.append(Instruction(stage, word, rest.strip()))
    return found


LINES = instructions()
LAST = max(line.stage for line in LINES)


def of(word: str, stage: int | None = None) -> list[str]:
    return [line.rest for line in LINES if line.word == word and stage in (None, line.stage)]


def tracked() -> set[str]:
    """The files that git knows, and every folder above one."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("this is not a git checkout")
    files = listed.stdout.split("\n")
    return {str(part) for name in files if name for part in (Path(name), *Path(name).parents)}


def copied() -> list[str]:
    return [source for rest in of("COPY") if not rest.startswith("--from") for source in shlex.split(rest)[:-1]]


def test_there_are_two_stages_on_the_same_python() -> None:
    bases = [rest.split()[0] for rest in of("FROM")]
    assert len(bases) == 2
    assert len(set(bases)) == 1, "the environment is copied from one stage to the next, so both need the same Python"
    assert re.fullmatch(r"python:3\.1[1-9]-slim", bases[0])


def test_each_copied_file_is_in_git_and_reaches_the_builder() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied()
    for source in copied():
        assert source in tracked(), f"{source} is not in git"
        assert source in let_in, f"{source} is kept out by .dockerignore"


def test_the_builder_has_each_file_that_the_wheel_needs() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]}
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed |= {Path(name).parts[0] for name in [*wheel["packages"], *wheel["force-include"]]}
    assert needed <= set(copied())


def test_the_locked_packages_come_before_the_sources_so_that_their_layer_is_kept() -> None:
    build = [line for line in LINES if line.stage == 0]
    install = next(place for place, line in enumerate(build) if "requirements-runtime.lock" in line.rest and line.word == "RUN")
    sources = next(place for place, line in enumerate(build) if line.word == "COPY" and "service" in line.rest)
    assert install < sources
    assert "--require-hashes" in build[install].rest


def test_what_the_last_stage_takes_from_the_first_was_made_there() -> None:
    names = [rest.split()[-1] for rest in of("FROM", 0)]
    for rest in of("COPY", LAST):
        stage, source = re.fullmatch(r"--from=(\S+) (\S+) \S+", rest).groups()  # type: ignore[union-attr]
        assert stage in names
        assert any(source in made for made in of("RUN", 0))


def test_the_process_is_not_root_and_may_write_its_data() -> None:
    (user,) = of("USER", LAST)
    assert user not in ("root", "0")
    made = " ".join(of("RUN", LAST))
    assert f"useradd --system --uid 10001 --gid {user}" in made
    (volume,) = of("VOLUME", LAST)
    assert volume == "/data"
    assert f"chown {user}:{user} {volume}" in made


def test_there_is_a_font_for_the_words_of_pictures_drawn_in_the_image() -> None:
    drawn_with = (ROOT / "service" / "headwater" / "pictures" / "png.py").read_text()
    assert 'sans_serif_family="DejaVu Sans"' in drawn_with
    (installed,) = [rest for rest in of("RUN", LAST) if "apt-get" in rest]
    assert "apt-get install -y --no-install-recommends fonts-dejavu-core" in installed
    assert installed.index("apt-get update") < installed.index("apt-get install") < installed.index("rm -rf /var/lib/apt/lists/*")
    lines = [line.word for line in LINES if line.stage == LAST]
    assert lines.index("RUN") < lines.index("USER"), "only root may install"


def test_the_port_is_the_one_that_the_server_takes_by_itself() -> None:
    from headwater.settings import Settings

    assert of("EXPOSE", LAST) == [str(Settings.model_fields["port"].default)]


def test_the_health_check_is_python_that_parses_and_asks_a_route_that_exists() -> None:
    (rest,) = of("HEALTHCHECK", LAST)
    command = json.loads(rest[rest.index("[") :])
    assert command[:2] == ["python", "-c"]
    ast.parse(command[2])
    path = re.search(r"http://127\.0\.0\.1:8321(/[\w/]+)", command[2])
    assert path is not None
    routes = "".join(file.read_text() for file in (ROOT / "service" / "headwater" / "web").rglob("*.py"))
    assert f'"{path[1]}"' in routes


def test_each_variable_of_ours_that_it_sets_is_a_setting() -> None:
    from headwater.settings import Settings

    names = re.findall(r"HEADWATER_(\w+)=", " ".join(of("ENV", LAST)))
    assert {name.lower() for name in names} <= Settings.model_fields.keys()


def commands() -> list[list[str]]:
    """The headwater commands that the image runs, or that its comments tell people to run."""
    (run,) = of("CMD", LAST)
    told = re.findall(r"(?m)^#\s+docker run .* headwater (headwater .*)$", (ROOT / "Dockerfile").read_text())
    return [json.loads(run), *map(shlex.split, told)]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_each_command_and_option_exists_in_the_command_line(command: list[str]) -> None:
    assert command[0] == "headwater"
    words = [word for word in command[1:] if re.fullmatch(r"[a-z]+", word)]
    names = words[:2] if words[0] == "token" else words[:1]
    answer = subprocess.run([sys.executable, "-m", "headwater", *names, "--help"], capture_output=True, text=True, env=wide())
    assert answer.returncode == 0, answer.stderr
    for option in (word for word in command if word.startswith("--")):
        assert option in answer.stdout, f"{' '.join(names)} has no {option}"


def wide() -> dict[str, str]:
    """An environment in which help texts are neither cut nor coloured."""
    import os

    return dict(os.environ) | {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
