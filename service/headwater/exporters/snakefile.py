"""A plan as a Snakefile: a skeleton that Snakemake reads and can dry-run, with what is recorded of each run in its rule.

Names and commands come out of documents that anybody may have written. So all of it stands in comments, from which nothing breaks
out, and in string literals, which Snakemake is not told to format. A recorded command is only written down to be run if it begins
with a script's name, as one command without a shell: what a shell would act on stands in quotes.
"""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_RUNNERS = {".py": ("python",), ".r": ("Rscript",), ".jl": ("julia",), ".sh": ("bash",)}
_SCRIPT = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./@+=-]*(\.[A-Za-z]{1,2})", re.ASCII)
_UNPRINTED = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_LONGEST = 300

_HEAD = """\
# A plan of repetitions as a Snakefile: a skeleton. Fill in where files lie and how each script takes its inputs and parameters;
# what is recorded of each run stands in PLAN. Each rule leaves a mark in headwater-plan/ when it is done; `snakemake -n` shows
# what is left to do."""


def snakefile(answer: Mapping[str, Any]) -> str:
    """The Snakefile of a plan, as the application answers it.

    >>> changes = [{"label": "labels corrected\\n\\tshell: 'rm'"}]
    >>> snakefile({"steps": [], "query": {"changes": changes}}).splitlines()[3]
    "# After: labels corrected shell: 'rm'"
    """
    changes = [row.get("label") or row.get("id") for row in (answer.get("query") or {}).get("changes") or ()]
    lines = [_HEAD, *(f"# After: {_comment(change)}" for change in changes), "", "PLAN = {"]
    steps = list(answer.get("steps") or ())
    for step in steps:
        lines += [f"    {int(step['step'])}: {_literal(_told(step))},"]
    lines += ["}", "", "rule all:", "    input:"]
    lines += [f"        {_literal(_mark(step['step']))}," for step in steps] or ["        [],"]
    for step in steps:
        lines += ["", "", *_rule(step)]
    return "\n".join([*lines, ""])


def _rule(step: Mapping[str, Any]) -> Iterator[str]:
    number = int(step["step"])
    recipe = step.get("recipe") or {}
    yield f"# {number}. {_comment(_WHAT.get(str(step.get('what')), 'repeat'))}: {_comment(step.get('label'))}"
    for row in (*recipe.get("inputs", ()), *recipe.get("environment", ()), *recipe.get("instruments", ())):
        yield f"#    {_comment(row.get('role'))}: {_comment(_input(row))}"
    for waited in step.get("waits_for") or ():
        yield f"#    not before this is mended: {_comment(waited)}"
    yield f"rule step_{number}:"
    if step.get("after"):
        yield "    input:"
        yield from (f"        {_literal(_mark(before))}," for before in step["after"])
    yield "    output:"
    yield f"        touch({_literal(_mark(number))}),"
    yield "    params:"
    yield f"        plan=lambda wildcards: PLAN[{number}],"
    yield "    shell:"
    yield f"        {_literal(_shell(step))}"


_WHAT = {"repeat": "repeat", "measure": "measure again", "gain": "repeat for the gain"}


def _input(row: Mapping[str, Any]) -> str:
    old = row.get("label") or row.get("id")
    if row.get("from_step"):
        return f"what step {row['from_step']} makes, instead of {old}"
    if row.get("instead"):
        return f"{row['instead']}, instead of {old}"
    if row.get("waits_for"):
        return f"{row['waits_for']} once it is mended, instead of {old}"
    return str(old)


def _told(step: Mapping[str, Any]) -> dict[str, Any]:
    """What a rule should know of its run."""
    recipe = step.get("recipe") or {}
    inputs = [
        {
            name: row.get(name)
            for name in ("role", "id", "label", "instead", "from_step", "waits_for")
            if row.get(name) is not None
        }
        for row in (*recipe.get("inputs", ()), *recipe.get("environment", ()), *recipe.get("instruments", ()))
    ]
    return {
        "run": step.get("run"),
        "label": step.get("label"),
        "command": recipe.get("command"),
        "code": [{name: row.get(name) for name in ("id", "version", "location")} for row in recipe.get("code", ())],
        "parameters": dict(recipe.get("parameters") or {}),
        "inputs": inputs,
        "outputs": [row.get("id") for row in step.get("outputs") or ()],
    }


def _shell(step: Mapping[str, Any]) -> str:
    """The command for the shell, with braces doubled, since Snakemake formats it."""
    recipe = step.get("recipe") or {}
    number = int(step["step"])
    words = _words(str(recipe.get("command") or ""))
    if step.get("what") == "measure" and step.get("measures"):
        text = _missing(number, "how its models are measured again")
    elif recipe.get("instruments"):
        text = _missing(number, "how it is measured: an instrument did it")
    elif words is None:
        text = _missing(number, "its command: none is recorded that can be run as it stands")
    else:
        text = " ".join(map(shlex.quote, words))
    return text.replace("{", "{{").replace("}", "}}")


def _missing(number: int, what: str) -> str:
    return f"echo 'step {number}: fill in {what}' >&2; exit 1"


def _words(command: str) -> tuple[str, ...] | None:
    """The words to run, if the command begins with the name of a script; None where it does not, or cannot be read safely."""
    if any(unicodedata.category(character) in _UNPRINTED for character in command):
        return None
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    script = _SCRIPT.fullmatch(words[0]) if words else None
    runner = _RUNNERS.get(script[1].lower()) if script else None
    return None if runner is None else (*runner, *words)


def _mark(number: object) -> str:
    return f"headwater-plan/step_{int(str(number))}.done"


def _literal(value: Any) -> str:
    """A Python literal in ASCII on one line; nothing in it can end the string that it stands in."""
    return ascii(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, str) or value is None or isinstance(value, bool | int | float):
        return value
    return [_plain(one) for one in value] if isinstance(value, Iterable) else str(value)


def _comment(value: object) -> str:
    """A text on one line without anything that ends a comment or changes how the line reads."""
    text = "".join(" " if unicodedata.category(one) in _UNPRINTED else one for one in str(value or ""))
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
