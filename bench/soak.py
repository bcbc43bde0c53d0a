"""Lets readers and writers work on one service for a long time, kills its readers now and then, and judges whether anything
grows: `python -m bench.soak --minutes 60`.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from bench.closure import name_of
from bench.measure import duration, machine, percentile
from bench.over_http import alive, serving
from bench.processes import children, measures, size_of
from bench.soak_judging import WARM_UP, Verdict, judged
from bench.world import World, make_world
from bench.write_rdf import write_ntriples

OUT = Path(__file__).resolve().parent / "out"
HW = "https://w3id.org/headwater/terms#"
GRAPHS = 200
"""So many graphs are written again and again, each time with something else in them."""
EXPECTED = {200, 201, 204}
Request = tuple[str, str, bytes | None, dict[str, str]]


@dataclass
class Soaked:
    """What came of it: samples of the service's state, seconds and statuses by what was asked, and what was acknowledged."""

    samples: list[dict[str, Any]] = field(default_factory=list)
    seconds: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    accepted: int = 0
    killed: int = 0
    last: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, at: float, seconds: float, status: int) -> None:
        with self.lock:
            self.seconds.setdefault(what, []).append((at, seconds))
            self.statuses[what, status] += 1


def reading(chance: random.Random, names: list[str]) -> tuple[str, Request]:
    """Something that a reader asks, and what it is called."""
    name = chance.choice(names)
    escaped = quote(name, safe="")
    number = chance.randrange(10**6)

    def sparql(text: str) -> Request:
        body = urlencode({"query": f"{text} # {number}"}).encode()
        return "POST", "/sparql", body, {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/csv"}

    def get(path: str) -> Request:
        return "GET", path, None, {}

    choices: list[tuple[int, str, Callable[[], Request]]] = [
        (20, "query, one thing", lambda: sparql(f"SELECT * {{ <{name}> ?p ?o }}")),
        (
            6,
            "query, group",
            lambda: sparql(f"SELECT ?k (COUNT(*) AS ?n) {{ ?s a ?k . FILTER(STRSTARTS(STR(?k), '{HW}')) }} GROUP BY ?k"),
        ),
        (6, "query, lineage", lambda: sparql(f"SELECT ?x {{ ?x <{HW}upstreamOf> <{name}> }}")),
        (4, "query, long answer", lambda: sparql("SELECT * { ?s ?p ?o } LIMIT 20000")),
        (1, "query, too much", lambda: sparql("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }")),
        (12, "impact", lambda: get(f"/api/v1/impact?id={escaped}&change=labels-corrected&depth=5")),
        (8, "lineage", lambda: get(f"/api/v1/lineage?id={escaped}&direction=both&depth=3")),
        (8, "landing page", lambda: get(f"/object/{escaped}")),
        (4, "search", lambda: get(f"/search?q={number % 97}")),
        (3, "list", lambda: get("/api/v1/objects?kind=model")),
        (2, "picture", lambda: get(f"/graph/{escaped}.svg")),
        (2, "audits", lambda: get("/api/v1/audits")),
        (2, "measures", lambda: get("/metrics")),
    ]
    weights = [weight for weight, *_ in choices]
    _, what, request = chance.choices(choices, weights)[0]
    return what, request()


def writing(chance: random.Random, number: int, graph: int, names: list[str]) -> tuple[str, Request]:
    """Something that a writer sends about his graph: a new content, mostly; sometimes a change of it, or its end."""
    address = f"urn:soak:graph:{graph}"
    kind = chance.random()
    if kind < 0.15:
        return "withdraw", ("DELETE", f"/sparql/store?graph={quote(address)}", None, {})
    if kind < 0.4:
        text = (
            f"DELETE {{ GRAPH <{address}> {{ ?s <urn:soak:count> ?n }} }} "
            f"INSERT {{ GRAPH <{address}> {{ ?s <urn:soak:count> {number} }} }} "
            f"WHERE {{ GRAPH <{address}> {{ ?s a <{HW}Run> OPTIONAL {{ ?s <urn:soak:count> ?n }} }} }}"
        )
        return "update", ("POST", "/sparql/update", text.encode(), {"Content-Type": "application/sparql-update"})
    used = "".join(f"<urn:soak:run:{graph}> <http://www.w3.org/ns/prov#used> <{chance.choice(names)}> .\n" for _ in range(5))
    body = (
        f'<urn:soak:run:{graph}> a <{HW}Run> ; <http://www.w3.org/2000/01/rdf-schema#label> "run {number}" .\n{used}'
        f"<urn:soak:data:{graph}> a <{HW}Dataset> ; <http://www.w3.org/ns/prov#wasGeneratedBy> <urn:soak:run:{graph}> .\n"
    )
    return "write", ("PUT", f"/sparql/store?graph={quote(address)}", body.encode(), {"Content-Type": "text/turtle"})


class Client:
    """One connection that is made again when it was lost."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: http.client.HTTPConnection | None = None

    def send(self, request: Request) -> tuple[int, float]:
        """Status (0: the connection broke) and seconds."""
        method, path, body, headers = request
        began = time.perf_counter()
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
            answer.read()
            return answer.status, time.perf_counter() - began
        except (OSError, http.client.HTTPException):
            self.leave()
            return 0, time.perf_counter() - began

    def leave(self) -> None:
        """Go away, whatever is under way."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Soak:
    """One soak of the service at `port`, whose process is `pid`."""

    def __init__(self, port: int, pid: int, data: Path, names: list[str], pause: float, seed: int) -> None:
        self.port, self.pid, self.data, self.names, self.pause, self.seed = port, pid, data, names, pause, seed
        self.began = time.monotonic()
        self.done = threading.Event()
        self.soaked = Soaked()

    def run(self, seconds: float, readers: int, writers: int, sample_s: float, kill_s: float) -> Soaked:
        """Work for so many seconds."""
        work = [(self._reads, number) for number in range(readers)] + [(self._writes, number) for number in range(writers)]
        threads = [threading.Thread(target=what, args=(number, writers)) for what, number in work]
        threads += [threading.Thread(target=self._kills, args=(kill_s,))]
        for thread in threads:
            thread.start()
        try:
            while time.monotonic() - self.began < seconds:
                self._sample()
                self.done.wait(sample_s)
        finally:
            self.done.set()
            for thread in threads:
                thread.join()
        self._sample()
        return self.soaked

    def _sample(self) -> None:
        at = time.monotonic() - self.began
        found = measures(self.pid)
        self.soaked.samples.append({"at": round(at, 1), **found, "writes": self.soaked.accepted, **size_of(self.data)})

    def _reads(self, number: int, _: int) -> None:
        chance, client = random.Random(self.seed * 1000 + number), Client(self.port)
        while not self.done.is_set():
            what, request = reading(chance, self.names)
            status, seconds = client.send(request)
            self.soaked.note(what, time.monotonic() - self.began, seconds, status)
            if chance.random() < 0.02:
                client.leave()
            self.done.wait(chance.expovariate(1 / self.pause))

    def _writes(self, number: int, writers: int) -> None:
        chance, client = random.Random(self.seed * 1000 + 500 + number), Client(self.port)
        count = 0
        while not self.done.is_set():
            count += 1
            # Each graph has one writer, who knows what it must hold in the end.
            graph = chance.randrange(GRAPHS // writers) * writers + number
            what, request = writing(chance, count, graph, self.names)
            status, seconds = client.send(request)
            self.soaked.note(what, time.monotonic() - self.began, seconds, status)
            if status in (200, 201, 204):
                with self.soaked.lock:
                    self.soaked.accepted += 1
                    if what == "write":
                        self.soaked.last[f"urn:soak:graph:{graph}"] = count
                    elif what == "withdraw":
                        self.soaked.last.pop(f"urn:soak:graph:{graph}", None)
            self.done.wait(chance.expovariate(1 / self.pause))

    def _kills(self, every: float) -> None:
        chance = random.Random(self.seed)
        while not self.done.wait(every * chance.uniform(0.5, 1.5)):
            workers = [pid for pid, command in children(self.pid) if "sandbox.worker" in command]
            if workers:
                with suppress(ProcessLookupError):
                    os.kill(chance.choice(workers), signal.SIGKILL)
                self.soaked.killed += 1


def checked(port: int, soaked: Soaked) -> None:
    """Compare what the service says in the end with what it acknowledged, and note what is amiss."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    text = (
        "SELECT ?g ?l { GRAPH ?g { ?s <http://www.w3.org/2000/01/rdf-schema#label> ?l } FILTER(STRSTARTS(STR(?g), 'urn:soak:')) }"
    )
    client.request("POST", "/sparql", text, {"Content-Type": "application/sparql-query", "Accept": "text/csv"})
    answer = client.getresponse()
    rows = answer.read().decode().split("\r\n")[1:-1]
    present = {graph: label for graph, _, label in (row.partition(",") for row in rows)}
    wanted = {graph: f"run {count}" for graph, count in soaked.last.items()}
    if present != wanted:
        differ = [graph for graph in {*present, *wanted} if present.get(graph) != wanted.get(graph)]
        soaked.faults.append(f"{len(differ)} graphs are not as they were last acknowledged, such as {differ[0]}.")
    for (what, status), number in sorted(soaked.statuses.items()):
        # A query may be stopped, a reader killed under it or under an update; a graph may have been withdrawn before.
        broken = status == 0 and what == "query, long answer"  # its beginning was sent: it breaks off
        fine = (
            status in EXPECTED
            or broken
            or (status == 503 and (what.startswith("query") or what == "update"))
            or (status, what) == (404, "withdraw")
        )
        if not fine:
            soaked.faults.append(f"{number} times {what} was answered by {status}.")
    if not alive(port):
        soaked.faults.append("The service is not ready in the end.")


def filled(world: World, data: Path) -> None:
    """A data folder that holds the world."""
    from headwater.app import Headwater
    from headwater.settings import load

    source = data.parent / "world.nt"
    write_ntriples(world, source)
    with Headwater.open(load(data=data)) as headwater:
        headwater.import_source(source)


def verified(data: Path) -> list[str]:
    """What `headwater verify` finds, after the service has ended."""
    from headwater.app import Headwater
    from headwater.settings import load

    with Headwater.open(load(data=data)) as headwater:
        return headwater.verify()


def latencies(soaked: Soaked) -> list[dict[str, Any]]:
    """By what was asked: how often, median and 95th percentile of the first and of the last third."""
    end = soaked.samples[-1]["at"]
    rows = []
    for what, times in sorted(soaked.seconds.items()):
        row: dict[str, Any] = {"what": what, "requests": len(times)}
        for part, low, high in (("first", 0.0, end / 3), ("last", 2 * end / 3, 2 * end)):
            some = [seconds for at, seconds in times if low <= at < high]
            if some:
                row |= {f"{part}_p50": percentile(some, 0.5), f"{part}_p95": percentile(some, 0.95)}
        rows.append(row)
    return rows


def told(soaked: Soaked, verdicts: list[Verdict]) -> str:
    """The outcome in lines."""
    lines = [f"{len(soaked.samples)} samples, {sum(soaked.statuses.values()):,} requests, {soaked.accepted:,} writes accepted"]
    lines[0] += f", {soaked.killed} readers killed"
    for one in verdicts:
        word = "holds" if one.holds else "GROWS"
        lines.append(f"{one.what:12} {word}: median {one.median:,.0f}, grew by {one.growth:,.1f} of {one.allowed:,.1f} allowed")
    for row in latencies(soaked):
        spans = [
            f"{part} third {duration(row[f'{part}_p50'])} / {duration(row[f'{part}_p95'])}"
            for part in ("first", "last")
            if f"{part}_p50" in row
        ]
        lines.append(f"{row['what']:20} {row['requests']:7,} times, p50 / p95 {'; '.join(spans)}")
    lines.append("Statuses: " + ", ".join(f"{what} {status}: {n:,}" for (what, status), n in sorted(soaked.statuses.items())))
    return "\n".join([*lines, *(f"FAULT {fault}" for fault in soaked.faults)])


def soak(
    seconds: float,
    folder: Path,
    *,
    runs: int,
    readers: int,
    writers: int,
    pause: float,
    sample_s: float,
    kill_s: float,
    seed: int,
) -> Soaked:
    """Fill a data folder below `folder`, serve it, and work on it for so many seconds."""
    world = make_world(runs, seed)
    data = folder / "data"
    filled(world, data)
    names = [name_of(world, thing.number) for thing in world.things if thing.kind in ("dataset", "model", "software")]
    with serving(data) as port:
        server = next(pid for pid, command in children(os.getpid()) if f" serve --port {port} " in command)
        soaked = Soak(port, server, data, names, pause, seed).run(seconds, readers, writers, sample_s, kill_s)
        checked(port, soaked)
    soaked.faults += [f"verify: {line}" for line in verified(data)]
    return soaked


def main(arguments: list[str] | None = None) -> int:
    """Soak, print, keep the figures as JSON; exit code 1 where something grew or went wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--runs", type=int, default=500, help="size of the synthetic world (default: %(default)s)")
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument("--pause", type=float, default=0.2, help="mean seconds that a client waits between requests")
    parser.add_argument("--sample", type=float, default=5.0, help="seconds between samples")
    parser.add_argument("--kill", type=float, default=20.0, help="mean seconds between kills of a reader")
    parser.add_argument("--warm-up", type=float, default=WARM_UP, help="share that is not judged (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT, help="where the figures are kept (default: bench/out)")
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder by default")
    chosen = parser.parse_args(arguments)
    # So that there are many queries that are stopped, in a minute's soak, too.
    os.environ["HEADWATER_QUERY_TIMEOUT_S"] = "3"
    # So that it is full after the warm-up: what fills up is no leak, and looks like one.
    os.environ["HEADWATER_QUERY_CACHE_MB"] = "8"
    with tempfile.TemporaryDirectory(prefix="headwater-soak-", dir=chosen.folder) as place:
        soaked = soak(
            chosen.minutes * 60,
            Path(place),
            runs=chosen.runs,
            readers=chosen.readers,
            writers=chosen.writers,
            pause=chosen.pause,
            sample_s=chosen.sample,
            kill_s=chosen.kill,
            seed=chosen.seed,
        )
    verdicts = judged(soaked.samples, chosen.warm_up)
    print(told(soaked, verdicts))
    chosen.out.mkdir(exist_ok=True)
    target = chosen.out / f"soak-{chosen.minutes:g}-{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    figures = {
        "machine": machine(),
        "samples": soaked.samples,
        "latencies": latencies(soaked),
        "statuses": {f"{what} {status}": number for (what, status), number in soaked.statuses.items()},
        "verdicts": [{"what": one.what, "median": one.median, "growth": one.growth, "allowed": one.allowed} for one in verdicts],
        "faults": soaked.faults,
    }
    target.write_text(json.dumps(figures, indent=1) + "\n")
    return 1 if soaked.faults or not all(one.holds for one in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
