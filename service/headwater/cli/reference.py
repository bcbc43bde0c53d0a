"""The reference page of the command line, written from the commands themselves: `python -m headwater.cli.reference`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from headwater.cli.program import program

_BEGINNING = """# The command line

<!-- Written by `python -m headwater.cli.reference > docs/reference/cli.md`; a test compares. Do not edit here. -->

`headwater COMMAND`, also `python -m headwater COMMAND`, and in a clone `python3 start.py COMMAND`. `--data` may stand before or
after the command's name. An identifier is a full IRI, a CURIE (`hw:train`), a PID, a digest (`sha256:…`), an external id
(`mlflow:RUNID`) or `kind/key`. Options that take a list take it comma-separated or repeated.

Answers go to standard output; errors, notes and progress to standard error. Colours and progress bars appear on a terminal only,
and no colours with `NO_COLOR`. With `--json` the output is stable: for `lineage`, `impact` and `benefits` the
[envelope](http.md#the-envelope) (a list of them for several identifiers), for `plan` [one plan](http.md#plans); an error is an
RFC 9457 problem document on standard error.

| exit code | meaning |
| --- | --- |
| 0 | done |
| 1 | failed: the disk, the data folder, the network, a missing token; or `verify` and `doctor` found something |
| 2 | the input was rejected: a file, an identifier, a parameter, a query |
| 130 | stopped by Ctrl-C |
| 141 | nobody reads the output any more, as with `\\| head` |

An import in which some parts were damaged and the rest came in ends with 2, and its report names each damaged part.
"""


def reference() -> str:
    """The whole page in Markdown."""
    root = typer.main.get_command(program)
    return "\n".join([_BEGINNING, *_commands(root, "headwater")])


def _commands(group: Any, above: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{above} {name}")
        else:
            yield from _section(command, f"{above} {name}")


def _section(command: Any, name: str) -> Iterator[str]:
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    yield f"## `{' '.join([name, *(_argument(argument) for argument in arguments)])}`\n"
    yield f"{' '.join((command.help or '').split())}\n"
    rows = [(f"`{_argument(argument)}`", argument.help) for argument in arguments]
    rows += [(_option(option), option.help) for option in options if option.name != "help"]
    yield "| | |\n| --- | --- |"
    yield from (f"| {left} | {_cell(right)} |" for left, right in rows)
    yield ""


def _argument(argument: Any) -> str:
    word = str(argument.metavar or argument.name.upper())
    return f"{word}..." if argument.nargs == -1 else word


def _option(option: Any) -> str:
    spelled = ", ".join(f"`{word}`" for word in option.opts)
    if option.metavar:
        spelled += f" `{_cell(option.metavar)}`"
    return spelled


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    print(reference(), end="")
