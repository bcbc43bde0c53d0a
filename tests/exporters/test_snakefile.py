"""A plan as a Snakefile: Python that compiles, rules that Snakemake reads, and nothing in a name that gets out of its place."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.exporters.snakefile import snakefile

HOSTILE = (
    "x\"\"\"'; import os; os.system('touch owned')\n\tshell: 'touch owned' # {wildcards.a} {0} \\"
    "\u2028\u202e$(touch owned)`touch owned`"
)


def step(number: int, **more: Any) -> dict[str, Any]:
    given = {
        "step": number,
        "run": f"urn:run:{number}",
        "label": f"training {number}",
        "what": "repeat",
        "after": [],
        "waits_for": [],
        "measures": [],
        "outputs": [{"id": f"urn:model:{number}"}],
        "recipe": {
            "command": "train.py",
            "code": [],
            "parameters": {"depth": "3"},
            "inputs": [],
            "environment": [],
            "instruments": [],
        },
    }
    return given | more


def plan(*steps: dict[str, Any], label: str = "labels corrected") -> dict[str, Any]:
    return {"steps": list(steps), "query": {"changes": [{"label": label}]}}


def rules(text: str) -> dict[str, dict[str, str]]:
    """The rules of a Snakefile by name, each with the text under its directives."""
    found: dict[str, dict[str, str]] = {}
    rule = directive = ""
    for line in text.splitlines():
        if matched := re.fullmatch(r"rule (\w+):", line):
            rule = matched[1]
            found[rule] = {}
        elif matched := re.fullmatch(r"    (\w+):", line):
            directive = matched[1]
            found[rule][directive] = ""
        elif line.startswith("        "):
            found[rule][directive] += line.strip()
        else:
            assert not line or line.startswith(("#", "PLAN = {", "}", "    ")), line
    return found


def test_each_step_is_a_rule_that_waits_for_the_steps_before() -> None:
    found = rules(snakefile(plan(step(1), step(2, after=[1]))))
    assert found["step_2"]["input"] == "'headwater-plan/step_1.done',"
    assert found["step_2"]["shell"] == "'python train.py'"
    assert "'headwater-plan/step_2.done'" in found["all"]["input"]


def test_a_plan_without_steps_is_a_snakefile_too() -> None:
    assert rules(snakefile(plan())) == {"all": {"input": "[],"}}


@pytest.mark.parametrize(
    ("command", "shell"),
    [
        ("train.py --epochs 3", "python train.py --epochs 3"),
        ("train.py ; touch owned", "python train.py ';' touch owned"),
        ("train.py $(touch owned) `id` > out", "python train.py '$(touch' 'owned)' '`id`' '>' out"),
        ("train.py {input} '{x y}'", "python train.py '{{input}}' '{{x y}}'"),
        ("analyse.R", "Rscript analyse.R"),
    ],
)
def test_a_script_is_run_as_one_command_whatever_stands_behind_it(command: str, shell: str) -> None:
    recipe = step(1)["recipe"] | {"command": command}
    text = rules(snakefile(plan(step(1, recipe=recipe))))["step_1"]["shell"]
    assert ast.literal_eval(text) == shell


@pytest.mark.parametrize(
    "command", ["", "rm -rf ~", "touch owned", "-c.py", "train.py\ntouch owned", "train.py 'x", "sh -c 'touch owned'"]
)
def test_what_is_no_script_is_told_and_never_run(command: str) -> None:
    recipe = step(1)["recipe"] | {"command": command}
    text = rules(snakefile(plan(step(1, recipe=recipe))))["step_1"]["shell"]
    assert ast.literal_eval(text).startswith("echo 'step 1: fill in its command")


def test_what_is_only_measured_or_measures_itself_is_not_trained_again() -> None:
    measured = rules(snakefile(plan(step(1, what="measure", measures=[{"id": "urn:m"}]))))["step_1"]["shell"]
    recipe = step(1)["recipe"] | {"instruments": [{"id": "urn:scanner", "role": "execute"}]}
    taken = rules(snakefile(plan(step(1, recipe=recipe))))["step_1"]["shell"]
    assert "fill in how" in measured
    assert "an instrument did it" in taken


def spiteful(text: str) -> dict[str, Any]:
    row = {"role": text, "id": text, "label": text, "instead": text}
    recipe = {
        "command": text,
        "code": [{"id": text, "version": text}],
        "parameters": {text: text},
        "inputs": [row],
        "environment": [row],
        "instruments": [],
    }
    return plan(step(1, label=text, run=text, waits_for=[text], recipe=recipe, outputs=[{"id": text}]), label=text)


@given(st.text(st.characters(exclude_categories=()), max_size=60) | st.just(HOSTILE))
def test_no_name_gets_out_of_its_comment_or_string(text: str) -> None:
    written = snakefile(spiteful(text))
    assert set(rules(written)) == {"all", "step_1"}
    told = re.search(r"^PLAN = \{\n    1: (.*),\n\}$", written, re.MULTILINE)
    assert told is not None
    assert ast.literal_eval(told[1])["label"] == text
    body = rules(written)["step_1"]
    assert body.keys() == {"output", "params", "shell"}
    assert "touch owned" not in ast.literal_eval(body["shell"]).replace("'", "")


def test_snakemake_reads_it_and_plans_the_steps(tmp_path: Path) -> None:
    snakemake = shutil.which("snakemake")
    if snakemake is None:
        pytest.skip("Snakemake is not installed here; the rules are checked as text above")
    answer = plan(step(1), step(2, after=[1]), spiteful(HOSTILE)["steps"][0] | {"step": 3, "after": [1, 2]}, label=HOSTILE)
    (tmp_path / "Snakefile").write_text(snakefile(answer), encoding="utf-8")
    dry = subprocess.run([snakemake, "-n", "--cores", "1"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert dry.returncode == 0, dry.stdout + dry.stderr
    assert "step_3" in dry.stdout
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith(".")) == ["Snakefile"]
