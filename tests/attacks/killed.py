"""Writes to a data folder until it is killed, again and again, and checks each time that nothing accepted is lost and nothing
is there by half: `python -m tests.attacks.killed DATA --rounds N --seed S`, or `--at all` for chosen places in a write.

The program forks instead of starting anew, so that a round takes a fraction of a second. It ends with exit code 1 and a line for
each fault.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from pyoxigraph import Literal, NamedNode, Triple

from headwater.access import LOCAL
from headwater.app import Headwater
from headwater.ledger.ledger import Ledger
from headwater.lineage import saving, snapshot
from headwater.lineage.index import LineageIndex
from headwater.settings import Settings
from headwater.store.embedded import EmbeddedStore
from headwater.store.views import Views

HW, RDF_TYPE, PROV = (
    "https://w3id.org/headwater/terms#",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#type",
    "http://www.w3.org/ns/prov#",
)
LABEL = NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
PLACES: dict[str, tuple[Any, str]] = {
    "ledger.append": (Ledger, "append"),
    "ledger.commit": (Ledger, "commit"),
    "ledger.withdraw": (Ledger, "withdraw"),
    "views.apply": (Views, "apply"),
    "views.load": (Views, "load"),
    "views.clear": (Views, "clear"),
    "store.change": (EmbeddedStore, "change"),
    "store.load": (EmbeddedStore, "load"),
    "store.clear": (EmbeddedStore, "clear"),
    "index.follow": (LineageIndex, "follow"),
    "index.clear": (LineageIndex, "clear"),
    "index.save": (LineageIndex, "save"),
    "index.write": (saving, "write"),
    "index.whole": (snapshot, "write_whole"),
}
"""What a write goes through, where a process is killed before and after each."""


def settings(data: Path) -> Settings:
    return Settings(data=data, audits="manual", batch_records=4)


def statements(graph: int, number: int) -> list[Triple]:
    """What a graph says in its version `number`: half of it would be seen."""
    thing = NamedNode(f"urn:k:thing:{graph}")
    made = [Triple(NamedNode(f"urn:k:part:{graph}:{number}:{n}"), LABEL, Literal(str(number))) for n in range(8)]
    return [
        Triple(thing, NamedNode(RDF_TYPE), NamedNode(f"{HW}Dataset")),
        Triple(thing, LABEL, Literal(str(number))),
        Triple(thing, NamedNode(f"{PROV}wasDerivedFrom"), NamedNode(f"urn:k:thing:{(graph + 1) % 5}")),
        *made,
    ]


def writing(data: Path, random: Random, tell: Callable[[str], None]) -> None:
    """Write for ever: `tell` says what is tried before, and what is accepted after."""
    saved = data.parent / "pair.trig"
    with Headwater.open(settings(data)) as headwater:
        tell("open")
        number = int(time.monotonic() * 1e6)
        while True:
            number += 1
            graph = random.randrange(5)
            act = random.choice(
                ("put", "put", "put", "drop", "pair", "pair", "save", "rebuild" if random.random() < 0.3 else "put")
            )
            tell(f"try {act} {graph} {number}")
            if act == "put":
                levels = ("public", "internal", "project:p", None, None)
                headwater.put_graph(f"urn:k:{graph}", statements(graph, number), LOCAL, visibility=random.choice(levels))
            elif act == "drop":
                if headwater.graph_head(f"urn:k:{graph}", LOCAL) is None:
                    continue
                headwater.drop_graph(f"urn:k:{graph}", LOCAL)
            elif act == "pair":
                said = f'a <{HW}Run> ; <{LABEL.value}> "{number}" ; <{PROV}used> <urn:k:thing:0> .'
                text = "".join(f"<urn:k:pair:{part}> {{ <urn:k:pair:{part}> {said} }}\n" for part in "abc")
                saved.write_text(text, encoding="utf-8")
                headwater.import_source(saved)
            elif act == "save":
                headwater._writer.save_index()
            else:
                headwater.rebuild()
            tell(f"ok {act} {graph} {number}")


def checked(data: Path, known: dict[str, str], trying: tuple[str, str, str] | None) -> Iterator[str]:
    """What is amiss after a kill; `known` is what was accepted last for each graph ("" where it was withdrawn), and is brought
    up to what turned out of the write that was under way."""
    with Headwater.open(settings(data)) as headwater:
        yield from headwater.verify()
        for key in [*(f"urn:k:{n}" for n in range(5)), *(f"urn:k:pair:{part}" for part in "abc")]:
            head = headwater.graph_head(key, LOCAL)
            found = ""
            if head is not None:
                labels = {t.object.value for t in headwater.graph_statements(head) if t.predicate == LABEL}  # type: ignore[union-attr]
                if len(labels) != 1:
                    yield f"{key} says {labels} at once."
                found = labels.pop()
            allowed = {known.get(key, "")}
            if (
                trying is not None
                and (trying[0] == "pair") == (":pair:" in key)
                and (trying[0] == "pair" or key == f"urn:k:{trying[1]}")
            ):
                allowed.add("" if trying[0] == "drop" else trying[2])
            if found not in allowed:
                yield f"{key} is {found or 'gone'}, and should be one of {allowed}."
            known[key] = found
        if len({known[f"urn:k:pair:{part}"] for part in "abc"}) != 1:
            yield f"A pair was written by half: {known}"


def _fork(work: Callable[[int], None]) -> tuple[int, int]:
    """A child that does `work` with the end of a pipe to write to; gives its number and the end to read from."""
    reading, writing_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            work(writing_end)
            os._exit(0)
        except BaseException as error:
            os.write(writing_end, f"fault {type(error).__name__}: {error}\n".encode())
            os._exit(1)
    os.close(writing_end)
    return child, reading


def _lines(descriptor: int) -> list[str]:
    with os.fdopen(descriptor) as file:
        return file.read().splitlines()


def killing_at(place: str, before: bool, count: int) -> Callable[[], None]:
    """Something that makes this process kill itself at the `count`-th passage through a place."""

    def arm() -> None:
        owner, name = PLACES[place]
        original = getattr(owner, name)
        passed = 0

        def wrapped(*arguments: Any, **named: Any) -> Any:
            nonlocal passed
            passed += 1
            if before and passed == count:
                os.kill(os.getpid(), signal.SIGKILL)
            found = original(*arguments, **named)
            if not before and passed == count:
                os.kill(os.getpid(), signal.SIGKILL)
            return found

        setattr(owner, name, wrapped)

    return arm


def one_round(data: Path, seed: int, known: dict[str, str], wait: float, arm: Callable[[], None] | None) -> tuple[list[str], int]:
    """Write until killed, then check; gives the faults and how many writes were accepted."""

    def work(end: int) -> None:
        if arm is not None:
            arm()
        writing(data, Random(seed), lambda line: (os.write(end, f"{line}\n".encode()), None)[1])

    child, reading = _fork(work)
    if arm is None:
        # One in four is killed while it opens the folder, which catches up with what the one before left.
        begun = b"" if Random(seed).random() < 0.25 else os.read(reading, 5)
        time.sleep(wait)
        os.kill(child, signal.SIGKILL)
        said = (begun.decode() + "\n".join(_lines(reading))).splitlines()
    else:
        deadline = time.monotonic() + wait
        while os.waitpid(child, os.WNOHANG)[0] == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        if time.monotonic() >= deadline:
            os.kill(child, signal.SIGKILL)
        said = _lines(reading)
    with suppress(ChildProcessError):  # it was waited for above
        os.waitpid(child, 0)
    faults = [line for line in said if line.startswith("fault ")]
    trying, accepted = None, 0
    for line in said:
        word, *rest = line.split(" ")
        if word == "try":
            trying = (rest[0], rest[1], rest[2])
        elif word == "ok":
            accepted += 1
            for key in [f"urn:k:pair:{part}" for part in "abc"] if rest[0] == "pair" else [f"urn:k:{rest[1]}"]:
                if rest[0] in ("put", "pair", "drop"):
                    known[key] = "" if rest[0] == "drop" else rest[2]
            trying = None

    def check(end: int) -> None:
        for fault in checked(data, known, trying):
            os.write(end, f"fault {fault}\n".encode())
        for key, value in known.items():
            os.write(end, f"known {key} {value}\n".encode())

    child, reading = _fork(check)
    for line in _lines(reading):
        word, _, rest = line.partition(" ")
        if word == "fault":
            faults.append(rest)
        else:
            key, _, value = rest.partition(" ")
            known[key] = value
    os.waitpid(child, 0)
    return faults, accepted


def main(arguments: list[str] | None = None) -> int:
    """Do the rounds, say what came of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks.killed", description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at", choices=["random", "all"], default="random")
    chosen = parser.parse_args(arguments)
    random = Random(chosen.seed)
    known: dict[str, str] = {}
    total = rounds = bad = 0
    plan: list[tuple[str, Callable[[], None] | None]] = [("at random", None)] * chosen.rounds
    if chosen.at == "all":
        plan = [
            (f"{'before' if before else 'after'} {place} for the {count}. time", killing_at(place, before, count))
            for place in PLACES
            for before in (True, False)
            for count in (1, 2)
        ]
    for what, arm in plan:
        wait = random.uniform(0.02, 0.6) if arm is None else 1.5
        faults, accepted = one_round(chosen.data, random.randrange(2**31), known, wait, arm)
        total, rounds = total + accepted, rounds + 1
        for fault in faults:
            print(f"killed {what}: {fault}")
        bad += len(faults)
    print(f"{rounds} kills, {total} writes accepted, {bad} faults")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
