"""What goes to the terminal: answers on standard output, errors and progress on standard error, and never a control character."""

from __future__ import annotations

import json
import sys
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from headwater.errors import HeadwaterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

Line = tuple[str, str]
"""A line and the style it is shown in on a terminal that has colours: bold, dim, red, yellow, green or none."""

_UNCOUNTABLE = {"software"}
_SILENCE_S = 5
# Format characters that reorder or hide what stands beside them; a name from a file must not rewrite the report it stands in.
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def printable(text: object) -> str:
    """`text` on one line, without anything that a terminal would act on.

    >>> printable("model\\x1b[2J\\nof the year")
    'model?[2J of the year'
    """
    shown = []
    for character in str(text):
        if character in "\n\r\t\u2028\u2029":
            shown.append(" ")
        elif unicodedata.category(character) in _INVISIBLE and character not in "\u200c\u200d\u00ad":
            shown.append("?")
        else:
            shown.append(character)
    return "".join(shown)


def show(lines: Iterable[Line | str]) -> None:
    """Print lines to standard output; colours only on a terminal, and not with NO_COLOR."""
    console = _console(sys.stdout)
    for line in lines:
        text, style = (line, "") if isinstance(line, str) else line
        console.print(printable(text), style=style or None)


def note(text: str) -> None:
    """Say something about the work itself, on standard error."""
    _console(sys.stderr).print(printable(text))


def show_json(value: object) -> None:
    """Print a value as JSON in UTF-8, keys in the order given."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=not _speaks_utf8(sys.stdout)) + "\n")


def show_error(error: HeadwaterError, *, as_json: bool) -> None:
    """Say what is wrong and what to do, on standard error; with `as_json` as a problem document (RFC 9457)."""
    if as_json:
        sys.stderr.write(json.dumps(error.problem(), indent=2, default=str) + "\n")
        return
    console = _console(sys.stderr)
    console.print(f"{error.title}.", style="bold red")
    console.print(f"  {printable(error.detail)}")
    for sentence in error.extra.get("sentences", ()):
        console.print(f"  · {printable(sentence)}")
    console.print(f"  {printable(error.remedy)}", style="dim")


def write_bytes(body: bytes) -> None:
    """Write bytes to standard output as they are, and end the line if they do not."""
    sys.stdout.flush()
    sys.stdout.buffer.write(body if body.endswith(b"\n") else body + b"\n")
    sys.stdout.buffer.flush()


def table(columns: list[str], rows: Iterable[list[str]]) -> None:
    """Print a table: on a terminal as wide as that, with long values folded; elsewhere as wide as its content, nothing cut."""
    cells = [[printable(value) for value in row] for row in (columns, *rows)]
    console = _console(sys.stdout)
    if not console.is_terminal:
        widths = [max(len(row[column]) for row in cells) for column in range(len(columns))]
        cells.insert(1, ["-" * width for width in widths])
        for row in cells:
            sys.stdout.write("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip() + "\n")
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in cells[0]:
        shown.add_column(Text(column), overflow="fold")
    for row in cells[1:]:
        shown.add_row(*map(Text, row))
    console.print(shown, soft_wrap=False)


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on a terminal; elsewhere a plain line now and then. Yields `report(done, total)`; total may be unknown."""
    if not sys.stderr.isatty():
        yield _plain_lines(title)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=_console(sys.stderr), transient=True) as bar:
        task = bar.add_task(printable(title), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _plain_lines(title: str) -> Callable[[int, int | None], None]:
    last, said_at = 0, time.monotonic()

    def report(done: int, total: int | None) -> None:
        nonlocal last, said_at
        # Of a thousand records or few shapes alike, a log should tell that something goes on, and not fill up with it.
        if done - last < 1000 and time.monotonic() - said_at < _SILENCE_S:
            return
        last, said_at = done, time.monotonic()
        note(f"{title}: {done:,}" + (f" of {total:,}" if total else ""))

    return report


def _console(file: IO[str]) -> Console:
    from rich.console import Console

    return Console(file=file, soft_wrap=True, highlight=False, markup=False, emoji=False)


def _speaks_utf8(file: IO[str]) -> bool:
    return (getattr(file, "encoding", None) or "").lower().replace("-", "") == "utf8"


def number(value: float) -> str:
    """A number as people write it: three significant digits, no needless zeros.

    >>> number(0.0310), number(12), number(-0.00001234)
    ('0.031', '12', '-1.23e-05')
    """
    return f"{value:.3g}"


def counted(counts: Mapping[str, int]) -> str:
    """Counts by kind in words, the most frequent first.

    >>> counted({"model": 1, "run": 12})
    '12 runs, 1 model'
    """
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(several(count, word) for word, count in ordered)


def several(count: int, word: str) -> str:
    """A count with its word in the right number.

    >>> several(1, "entity"), several(2, "entity"), several(0, "run")
    ('1 entity', '2 entities', '0 runs')
    """
    if count == 1 or word in _UNCOUNTABLE:
        return f"{count:,} {word}"
    return f"{count:,} {word[:-1] + 'ies' if word.endswith('y') and word[-2:-1] not in 'aeiou' else word + 's'}"
