"""A closure joined with types and labels, by lineage patterns and by plain paths: `python -m bench.path_joins --keep FOLDER`.

Landscapes that are not connected lie in one store of about a million statements on disk: from the first thing of each, all of it
is upstream, or downstream. Each query is asked over HTTP, where a reader of the sandbox runs it; answers kept from before are not
used. In this process its parts are timed by the processor: working out the closure, and the engine's part.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from bench.measure import duration, machine, percentile
from bench.over_http import serving
from headwater.access import LOCAL
from headwater.app import Headwater
from headwater.settings import load

UP, DOWN = (102, 12_194, 147_522), (102, 12_194)
_PATIENCE_S = 20
_PATH = "(prov:wasGeneratedBy|prov:used)"
_TYPE, _WORDS = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type", "https://w3id.org/headwater/terms#"
_PREFIXES = """PREFIX hw: <https://w3id.org/headwater/terms#> PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
"""
QUERIES = {
    "hw:upstreamOf": "SELECT ?x ?l { ?x hw:upstreamOf ROOT . ?x a hw:Dataset ; rdfs:label ?l }",
    "with distance": ("SELECT ?x ?d ?l { ?x hw:upstreamOf [ hw:of ROOT ; hw:distance ?d ] . ?x a hw:Dataset ; rdfs:label ?l }"),
    "with role": "SELECT ?x ?r ?l { ?x hw:upstreamOf [ hw:of ROOT ; hw:role ?r ] . ?x a hw:Dataset ; rdfs:label ?l }",
    "counted": "SELECT (COUNT(*) AS ?n) { ?x hw:upstreamOf ROOT . ?x a hw:Dataset ; rdfs:label ?l }",
    "path, type, label": f"SELECT ?x ?l {{ ROOT {_PATH}* ?x . ?x a hw:Dataset ; rdfs:label ?l }}",
    "label, type, path": f"SELECT ?x ?l {{ ?x rdfs:label ?l ; a hw:Dataset . ROOT {_PATH}* ?x }}",
    "path backwards": "SELECT ?x ?l { ?x (^prov:wasGeneratedBy|^prov:used)* ROOT . ?x a hw:Dataset ; rdfs:label ?l }",
    "path, type in FILTER": f"SELECT ?x ?l {{ ROOT {_PATH}* ?x . FILTER EXISTS {{ ?x a hw:Dataset }} ?x rdfs:label ?l }}",
    "path, type, label, counted": f"SELECT (COUNT(*) AS ?n) {{ ROOT {_PATH}* ?x . ?x a hw:Dataset ; rdfs:label ?l }}",
}
DOWNWARDS = {
    "hw:downstreamOf": "SELECT ?x ?l { ?x hw:downstreamOf ROOT . ?x a hw:Dataset ; rdfs:label ?l }",
    "hw:impactedBy, state": (
        "SELECT ?x ?s ?l { ?x hw:impactedBy [ hw:of CHANGE ; hw:state ?s ] . ?x a hw:Dataset ; rdfs:label ?l }"
    ),
}


def statements(size: int, up: bool) -> Iterator[str]:
    """N-Triples of a landscape: each thing but the first is used by, or comes of, a run of an earlier one and of a second one."""
    draw = random.Random(size)
    prov, things = "http://www.w3.org/ns/prov#", (size + 1) // 2
    for number in range(size):
        kind = "Run" if number % 2 else "Dataset" if number % 4 else "Model"
        yield f"<{name(size, up, number)}> <{_TYPE}> <{_WORDS}{kind}> ."
        yield f'<{name(size, up, number)}> <http://www.w3.org/2000/01/rdf-schema#label> "{kind} {number} of {size}" .'
    for thing in range(things):
        it, run = name(size, up, 2 * thing), name(size, up, 2 * thing + 1)
        if up and 2 * thing + 1 < size:
            yield f"<{it}> <{prov}wasGeneratedBy> <{run}> ."
        for other in {draw.randrange(thing // 2, thing), draw.randrange(thing)} if thing else ():
            if up:
                yield f"<{name(size, up, 2 * other + 1)}> <{prov}used> <{it}> ."
            else:
                yield f"<{name(size, up, 2 * thing - 1)}> <{prov}used> <{name(size, up, 2 * other)}> ."
        if not thing and not up:
            change = f"{it[:-2]}/change"
            yield f"<{change}> <{_TYPE}> <{_WORDS}Change> ."
            yield f"<{change}> <{_WORDS}changeKind> <{_WORDS}labels-corrected> ."
            yield f"<{change}> <{_WORDS}changedObject> <{it}> ."
        if thing and not up:
            yield f"<{it}> <{prov}wasGeneratedBy> <{name(size, up, 2 * thing - 1)}> ."


def name(size: int, up: bool, number: int) -> str:
    return f"https://bench.example/{'up' if up else 'down'}/{size}/{number}"


def filled(folder: Path) -> Path:
    """A data folder with the landscapes; one that is there already is taken as it is."""
    data = folder / "data"
    if data.exists():
        return data
    texts = folder / "texts"
    texts.mkdir(parents=True)
    for size, up in [(size, True) for size in UP] + [(size, False) for size in DOWN]:
        lines, part = list(statements(size, up)), 200_000
        for place in range(0, len(lines), part):
            (texts / f"{size}-{up}-{place}.nt").write_text("\n".join(lines[place : place + part]) + "\n")
    with Headwater.open(load(data=data, batch_records=1)) as headwater:
        for source in sorted(texts.iterdir()):
            headwater.import_source(source)
    return data


def over_http(port: int, text: str) -> int:
    """Ask once, and read all of the answer; how many rows it has."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    accepted = {"Accept": "application/sparql-results+json", "Content-Type": "application/x-www-form-urlencoded"}
    try:
        connection.request("POST", "/sparql", urlencode({"query": text}), accepted)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {body[:300]!r}")
    return len(json.loads(body)["results"]["bindings"])


def asked_anew(port: int, text: str) -> int:
    """As `over_http`, of a text that was not asked before."""
    return over_http(port, f"{text} #{time.perf_counter_ns()}")


def main(arguments: list[str] | None = None) -> int:
    """Fill, ask, and print a line for each query and landscape: rows, and the median and 95th percentile of both times."""
    parser = argparse.ArgumentParser(prog="python -m bench.path_joins", description=__doc__)
    parser.add_argument("--keep", type=Path, help="the folder for the data, kept for the next time")
    parser.add_argument("--times", type=int, default=15, help="how often each is asked (default: %(default)s)")
    parser.add_argument("--only", default="", help="only queries whose name begins so")
    chosen = parser.parse_args(arguments)
    print(json.dumps(machine()))
    with tempfile.TemporaryDirectory() as own:
        data = filled(chosen.keep or Path(own))
        asked = [(word, text, size, True) for word, text in QUERIES.items() for size in UP]
        asked += [(word, text, size, False) for word, text in DOWNWARDS.items() for size in DOWN]
        asked = [one for one in asked if one[0].startswith(chosen.only)]
        whole = {(word, size): _whole(text, size, up) for word, text, size, up in asked}
        inside = {}
        with Headwater.open(load(data=data)) as headwater:
            print(headwater.query("SELECT (COUNT(*) AS ?statements) { ?s ?p ?o }", LOCAL, "text/csv")[0].decode().split())
            for one, text in whole.items():
                inside[one] = _timed(partial(headwater.query, text, LOCAL), chosen.times, time.process_time)
        with serving(data) as port:
            for one, text in whole.items():
                rows = over_http(port, text)
                told = _timed(
                    partial(asked_anew, port, text),
                    chosen.times,
                    time.perf_counter,
                )
                print(*one, f"{rows} rows", f"processor {inside[one]}", f"over HTTP {told}", sep=" | ", flush=True)
    return 0


def _whole(text: str, size: int, up: bool) -> str:
    root = name(size, up, 0)
    return _PREFIXES + text.replace("ROOT", f"<{root}>").replace("CHANGE", f"<{root[:-2]}/change>")


def _timed(work: Callable[[], object], times: int, clock: Callable[[], float]) -> str:
    """The median and the 95th percentile; less often what takes long."""
    spent: list[float] = []
    while len(spent) < times and sum(spent) < _PATIENCE_S:
        began = clock()
        work()
        spent.append(clock() - began)
    return f"{duration(percentile(spent, 0.5))} / {duration(percentile(spent, 0.95))}"


if __name__ == "__main__":
    sys.exit(main())
