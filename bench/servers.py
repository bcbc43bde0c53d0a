"""Starts and stops other SPARQL servers (Oxigraph, Fuseki, Virtuoso, rdflib-endpoint), to compare with and to keep records in.

    from bench.servers import start

    with start("fuseki", Path("folder"), data=[Path("all.nt")]) as server:
        httpx.post(server.query_url, data={"query": "ASK {}"})

Each listens on a free port of loopback and keeps its database and its log in the folder that it is given, so that it can be
started there again. `bench.install_servers` fetches the programs.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

PATIENCE_S = 120.0
PROGRAMS = Path.home() / ".cache" / "headwater-servers"
"""Where `bench.install_servers` puts the programs, and where they are looked for before `PATH`."""

VIRTUOSO_GRAPH = "https://bench.example/graph"
"""Virtuoso keeps nothing outside named graphs: unnamed statements are loaded into this one. Its queries see all graphs."""


class Unavailable(Exception):
    """A program that a server needs is not on this machine; the message says which, and how to get it."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers: its addresses, its process, and where it keeps its data."""

    name: str
    query_url: str
    update_url: str
    graph_store_url: str | None
    """None where the Graph Store Protocol is not offered."""
    pid: int
    folder: Path
    auth: tuple[str, str] | None = None
    """Name and password for HTTP digest authentication of the graph store, where one is asked for."""
    version: str = ""

    @property
    def log(self) -> Path:
        """What the server has written to its output."""
        return self.folder / "server.log"


@dataclass(frozen=True, slots=True)
class Launch:
    """What starting a server takes: command, surroundings, addresses, and what remains to be done once it is up."""

    command: list[str]
    query_url: str
    update_url: str
    graph_store_url: str | None
    auth: tuple[str, str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    afterwards: Callable[[], None] | None = None


def start(
    name: str, folder: Path, *, data: Sequence[Path] = (), programs: Path = PROGRAMS, patience_s: float = PATIENCE_S
) -> contextlib.AbstractContextManager[Server]:
    """A running server of that name on the database in `folder` (made when it is not there), with `data` loaded first.

    `name` is one of `NAMES`; `data` are RDF files that the server's own loader takes in before it starts, where it has one.
    Raises `Unavailable` at once where a program is missing, and RuntimeError with the end of the log where it does not come up.

    >>> start("no-such-server", Path("somewhere"))
    Traceback (most recent call last):
    bench.servers.Unavailable: no server of that name: no-such-server; there are fuseki, oxigraph, rdflib-endpoint, virtuoso
    """
    if name not in _LAUNCHES:
        raise Unavailable(f"no server of that name: {name}; there are {', '.join(NAMES)}")
    place = folder.resolve()
    launch = _LAUNCHES[name]
    launch(place, [], programs, free_port(), True)
    return _running(name, place, [path.resolve() for path in data], programs, patience_s)


def available(name: str, programs: Path = PROGRAMS) -> str | None:
    """None where the server can be started, otherwise the reason why not.

    >>> "no-such-server" in available("no-such-server")
    True
    """
    try:
        start(name, Path("nowhere"), programs=programs)
    except Unavailable as reason:
        return str(reason)
    return None


def free_port() -> int:
    """A port of loopback that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _running(name: str, folder: Path, data: list[Path], programs: Path, patience_s: float) -> Iterator[Server]:
    folder.mkdir(parents=True, exist_ok=True)
    launch = _LAUNCHES[name](folder, data, programs, free_port(), False)
    with (folder / "server.log").open("ab") as output:
        process = subprocess.Popen(
            launch.command,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=folder,
            env={**os.environ, **launch.environment},
            start_new_session=True,
        )
    server = Server(
        name,
        launch.query_url,
        launch.update_url,
        launch.graph_store_url,
        process.pid,
        folder,
        launch.auth,
        _version(name, programs),
    )
    try:
        _await(server, process, patience_s)
        if launch.afterwards is not None:
            launch.afterwards()
        yield server
    finally:
        _end(process)


def _await(server: Server, process: subprocess.Popen[bytes], patience_s: float) -> None:
    until = time.monotonic() + patience_s
    while not answers(server.query_url):
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"{server.name} did not come up:\n{server.log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.05)


def answers(query_url: str) -> bool:
    """Whether a query is answered there now.

    >>> answers("http://127.0.0.1:9/sparql")
    False
    """
    address = urlsplit(query_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
    try:
        connection.request("GET", f"{address.path}?query=ASK%7B%7D", headers={"Accept": "application/sparql-results+json"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole group, politely first; its members share the session that was begun for them."""
    for sent, patience_s in ((signal.SIGTERM, 30), (signal.SIGKILL, 30)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sent)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=patience_s)
    # The leader is gone; whatever it left behind in its group goes with the second signal.


def _program(name: str, places: Sequence[Path], remedy: str) -> str:
    for place in places:
        if (place / name).is_file():
            return str(place / name)
    found = shutil.which(name)
    if found is None:
        raise Unavailable(f"the program {name} is missing: {remedy}")
    return found


def _oxigraph(folder: Path, data: list[Path], programs: Path, port: int, dry: bool) -> Launch:
    places = [programs / "oxigraph" / "bin", Path(sys.executable).parent]
    program = _program("oxigraph", places, "python -m bench.install_servers oxigraph, or pip install oxigraph")
    store = folder / "store"
    if data and not dry:
        _load([program, "load", "-l", str(store), "-f", *map(str, data)], folder)
    address = f"http://127.0.0.1:{port}"
    command = [program, "serve", "-l", str(store), "-b", f"127.0.0.1:{port}"]
    return Launch(command, f"{address}/query", f"{address}/update", f"{address}/store")


def _fuseki(folder: Path, data: list[Path], programs: Path, port: int, dry: bool) -> Launch:
    jars = sorted((programs / "fuseki").glob("jena-fuseki-server-*.jar"))
    if not jars:
        raise Unavailable("the program of Apache Jena Fuseki is missing: python -m bench.install_servers fuseki, which needs mvn")
    java = java_at_least(21 if "-server-6" in jars[-1].name else 17)
    store = folder / "tdb2"
    if not dry:
        store.mkdir(exist_ok=True)
    if data and not dry:
        _load([java, "-cp", str(jars[-1]), "tdb2.tdbloader", "--loc", str(store), *map(str, data)], folder)
    address = f"http://127.0.0.1:{port}/ds"
    command = [
        java,
        "-Xmx4g",
        "-jar",
        str(jars[-1]),
        f"--port={port}",
        "--localhost",
        "--tdb2",
        f"--loc={store}",
        "--update",
        "/ds",
    ]
    surroundings = {"FUSEKI_BASE": str(folder / "run")}
    return Launch(command, f"{address}/sparql", f"{address}/update", f"{address}/data", environment=surroundings)


def java_at_least(version: int) -> str:
    """The path of a Java that is new enough; raises `Unavailable` where there is none."""
    homes = [Path(home) / "bin" for home in [os.environ.get("JAVA_HOME", "")] if home]
    homes += [path / "bin" for path in sorted(Path("/usr/lib/jvm").glob("*")) if path.is_dir()]
    candidates = [str(home / "java") for home in homes if (home / "java").is_file()]
    candidates += [path for path in [shutil.which("java")] if path]
    for program in candidates:
        said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
        number = said.partition('version "')[2].split(".")[0].strip('"\n ')
        if number.isdigit() and int(number) >= version:
            return program
    raise Unavailable(f"Java {version} or newer is missing")


def _virtuoso(folder: Path, data: list[Path], programs: Path, port: int, dry: bool) -> Launch:
    root = programs / "virtuoso"
    server = _program(
        "virtuoso-t", [root / "usr" / "bin"], "python -m bench.install_servers virtuoso, or install virtuoso-opensource-7-bin"
    )
    shell = _program("isql-vt", [root / "usr" / "bin"], "it comes with virtuoso-t")
    sql = free_port()
    libraries = ":".join(sorted({str(path.parent) for path in root.rglob("lib*.so.*") if path.is_file()}))
    surroundings = {"LD_LIBRARY_PATH": libraries} if libraries else {}
    fresh = not (folder / "virtuoso.db").exists()
    if not dry:
        allowed = ", ".join(sorted({str(folder), *(str(path.parent) for path in data)}))
        (folder / "virtuoso.ini").write_text(_VIRTUOSO_INI.format(folder=folder, sql=sql, port=port, allowed=allowed))

    def prepare() -> None:
        # As Debian's server comes, nobody may write over SPARQL. To grant that a second time is an error there.
        orders = ['grant SPARQL_UPDATE to "SPARQL"', "DB.DBA.RDF_DEFAULT_USER_PERMS_SET ('nobody', 7)"] if fresh else []
        orders += [f"ld_dir ('{path.parent}', '{path.name}', '{VIRTUOSO_GRAPH}')" for path in data]
        orders += ["rdf_loader_run ()", "checkpoint"] if data else []
        for order in orders:
            command = [shell, f"127.0.0.1:{sql}", "dba", "dba", "VERBOSE=OFF", "BANNER=OFF", f"EXEC={order};"]
            ended = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **surroundings}, check=False)
            if ended.returncode or "Error" in ended.stderr + ended.stdout:
                raise RuntimeError(f"virtuoso refused {order}:\n{ended.stdout}{ended.stderr}")

    command = [server, "-f", "-c", str(folder / "virtuoso.ini")]
    address = f"http://127.0.0.1:{port}"
    stores = f"{address}/sparql-graph-crud-auth"
    return Launch(command, f"{address}/sparql", f"{address}/sparql", stores, ("dba", "dba"), surroundings, prepare)


_VIRTUOSO_INI = """[Database]
DatabaseFile = {folder}/virtuoso.db
ErrorLogFile = {folder}/virtuoso.log
LockFile = {folder}/virtuoso.lck
TransactionFile = {folder}/virtuoso.trx
xa_persistent_file = {folder}/virtuoso.pxa
FileExtend = 200
MaxCheckpointRemap = 2000
[TempDatabase]
DatabaseFile = {folder}/virtuoso-temp.db
TransactionFile = {folder}/virtuoso-temp.trx
[Parameters]
ServerPort = 127.0.0.1:{sql}
ServerThreads = 40
CheckpointInterval = 0
NumberOfBuffers = 170000
MaxDirtyBuffers = 130000
DirsAllowed = {allowed}
[HTTPServer]
ServerPort = 127.0.0.1:{port}
ServerThreads = 40
KeepAliveTimeout = 60
MaxKeepAlives = 40
[SPARQL]
DefaultQuery = ASK {{}}
"""


def _rdflib_endpoint(folder: Path, data: list[Path], programs: Path, port: int, dry: bool) -> Launch:
    remedy = "python -m bench.install_servers rdflib-endpoint, or pip install rdflib-endpoint in an environment of its own"
    program = _program("rdflib-endpoint", [programs / "rdflib-endpoint" / "bin"], remedy)
    kept = folder / "data"
    if not dry:
        kept.mkdir(exist_ok=True)
        for path in data:
            shutil.copyfile(path, kept / path.name)
    # It keeps everything in memory: what it was given first is read again at each start.
    files = sorted(str(path) for path in kept.glob("*")) if kept.is_dir() else []
    command = [program, "serve", "--host", "127.0.0.1", "--port", str(port), "--enable-update", *files]
    address = f"http://127.0.0.1:{port}/"
    return Launch(command, address, address, None)


def _load(command: list[str], folder: Path) -> None:
    with (folder / "load.log").open("ab") as output:
        ended = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False)
    if ended.returncode:
        raise RuntimeError(f"loading failed:\n{(folder / 'load.log').read_text(errors='replace')[-3000:]}")


def _version(name: str, programs: Path) -> str:
    if name == "oxigraph":
        program = _program("oxigraph", [programs / "oxigraph" / "bin", Path(sys.executable).parent], "")
        return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    if name == "fuseki":
        return sorted((programs / "fuseki").glob("*.jar"))[-1].stem.rpartition("-")[2]
    if name == "virtuoso":
        noted = programs / "virtuoso" / "version"
        return noted.read_text().strip() if noted.is_file() else ""
    folders = sorted((programs / "rdflib-endpoint").rglob("rdflib_endpoint-*.dist-info"))
    return folders[-1].stem.rpartition("-")[2] if folders else ""


_LAUNCHES: dict[str, Callable[[Path, list[Path], Path, int, bool], Launch]] = {
    "oxigraph": _oxigraph,
    "fuseki": _fuseki,
    "virtuoso": _virtuoso,
    "rdflib-endpoint": _rdflib_endpoint,
}
NAMES = tuple(sorted(_LAUNCHES))
