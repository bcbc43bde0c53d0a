"""Reading the W3C's SPARQL 1.1 test manifests, and a server to run them against over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Store

from headwater.app import Headwater
from headwater.app.federating import Federation
from headwater.app.reaching import Connect
from headwater.settings import Settings
from headwater.terms.names import RDF, Namespace
from headwater.web.server import configured, listening

MF = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
QT = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-query#")
UT = Namespace("http://www.w3.org/2009/sparql/tests/test-update#")
HT = Namespace("http://www.w3.org/2011/http#")
CNT = Namespace("http://www.w3.org/2011/content#")
LABEL = NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
FOLDER = Path(__file__).resolve().parents[3] / "shared" / "suites" / "sparql11"
Node = NamedNode | BlankNode


class Manifest:
    """One manifest as a graph to walk in. File IRIs begin with `file:///suite/`."""

    def __init__(self, path: Path) -> None:
        self.folder = path.parent
        self.base = f"file:///suite/{path.parent.name}/"
        self._store = Store()
        self._store.load(path.read_bytes(), format=RdfFormat.TURTLE, base_iri=self.base + path.name)

    def values(self, subject: Node, predicate: NamedNode) -> list[Node | Literal]:
        found = [quad.object for quad in self._store.quads_for_pattern(subject, predicate, None)]
        return [node for node in found if isinstance(node, NamedNode | BlankNode | Literal)]

    def value(self, subject: Node, predicate: NamedNode) -> Node | Literal | None:
        return next(iter(self.values(subject, predicate)), None)

    def node(self, subject: Node, predicate: NamedNode) -> Node:
        found = self.value(subject, predicate)
        assert isinstance(found, NamedNode | BlankNode)
        return found

    def text(self, subject: Node, predicate: NamedNode) -> str | None:
        found = self.value(subject, predicate)
        return found.value if isinstance(found, Literal | NamedNode) else None

    def listed(self, head: Node) -> Iterator[Node]:
        while head != RDF.nil:
            yield self.node(head, RDF.first)
            head = self.node(head, RDF.rest)

    def tests(self) -> Iterator[tuple[Node, str]]:
        """The tests in the manifest's order, each with the local name of its type."""
        entries = [quad.object for quad in self._store.quads_for_pattern(None, MF.entries, None)]
        for head in entries:
            assert isinstance(head, NamedNode | BlankNode)
            for test in self.listed(head):
                kinds = [kind.value.rpartition("#")[2] for kind in self.values(test, RDF.type) if isinstance(kind, NamedNode)]
                yield test, kinds[0]

    def file(self, iri: NamedNode) -> Path:
        return self.folder / iri.value.removeprefix(self.base)


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a protocol test and what must come back."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None
    statuses: tuple[str, ...]
    boolean: bool | None
    form: str | None
    location: str | None
    graph: tuple[str, str] | None


def requests(manifest: Manifest, test: Node) -> Iterator[Request]:
    """The requests of a protocol or graph store test, in order."""
    action = manifest.node(test, MF.action)
    for request in manifest.listed(manifest.node(action, HT.requests)):
        response = manifest.node(request, HT.resp)
        body, expected = manifest.value(request, HT.body), manifest.value(response, HT.body)
        encoded = None
        if isinstance(body, BlankNode):
            encoding = manifest.text(body, CNT.characterEncoding) or "UTF-8"
            encoded = (manifest.text(body, CNT.chars) or "").encode(encoding)
        boolean = manifest.text(response, MF.expectedBoolean)
        yield Request(
            method=manifest.text(request, HT.methodName) or "GET",
            path=manifest.text(request, HT.absolutePath) or "",
            headers=_headers(manifest, request),
            body=encoded,
            statuses=tuple(
                v.value.rpartition("#")[2] for v in manifest.values(response, MF.expectedStatus) if isinstance(v, NamedNode)
            ),
            boolean=None if boolean is None else boolean == "true",
            form=manifest.text(response, MF.expectedFormat),
            location=manifest.text(response, MF.expectedLocation),
            graph=(
                (_headers(manifest, response)["content-type"], manifest.text(expected, CNT.chars) or "")
                if isinstance(expected, BlankNode)
                else None
            ),
        )


def _headers(manifest: Manifest, message: Node) -> dict[str, str]:
    head = manifest.value(message, HT.headers)
    if not isinstance(head, NamedNode | BlankNode):
        return {}
    return {
        (manifest.text(header, HT.fieldName) or "").lower(): manifest.text(header, HT.fieldValue) or ""
        for header in manifest.listed(head)
    }


@contextmanager
def serving(folder: Path, connect: Connect | None = None, **settings: object) -> Iterator[tuple[str, Headwater]]:
    """A Headwater behind a real socket: its address, and itself. `connect` is how it reaches other servers."""
    given = {"data": folder, "query_timeout_s": 30.0, **settings}
    with Headwater.open(Settings(**given)) as headwater, listening("127.0.0.1", 0) as listener:  # type: ignore[arg-type]
        if connect is not None:
            headwater.__dict__["federation"] = Federation(headwater.settings, connect)
        server = uvicorn.Server(configured(headwater))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", headwater
        server.should_exit = True
        thread.join()


def same_graph(one: list[Quad], other: list[Quad]) -> bool:
    """Whether two graphs are the same but for the names of their blank nodes."""
    from pyoxigraph import CanonicalizationAlgorithm, Dataset

    sides = []
    for quads in (one, other):
        dataset = Dataset(quads)
        dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
        sides.append(set(dataset))
    return sides[0] == sides[1]
