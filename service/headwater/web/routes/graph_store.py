"""The SPARQL 1.1 Graph Store Protocol: a graph, by its IRI, is read, replaced, added to and withdrawn over HTTP.

A graph is a record: what is read is what it asserts, and what is written goes through the gate. Each has an ETag of its own.
"""

from __future__ import annotations

import tempfile
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from pyoxigraph import BlankNode, NamedNode, Triple, serialize
from starlette.responses import Response

from headwater.app.writing import Overtaken
from headwater.errors import BadParameter, HeadwaterError, NotFound, TooLarge
from headwater.exporters.rdf import Syntax
from headwater.exporters.registry import exporter
from headwater.importers.protocol import Source
from headwater.importers.rdf import one_graph
from headwater.ledger.ledger import Revision
from headwater.terms.names import PREFIXES
from headwater.web.caching import keeping
from headwater.web.negotiation import RDF, Offer, choose
from headwater.web.problems import CONTENT, Unchanged
from headwater.web.readers import App, Author, Who
from headwater.web.uploads import bounded
from headwater.web.write_line import in_line, the_line

router = APIRouter(tags=["sparql"])
_PATH = "/sparql/store"
_MOST_PARTS = 1000
_AS_THEY_ARE = "".join(map(chr, range(0x21, 0x7F)))


class PreconditionFailed(HeadwaterError):
    """The graph is not in the state that the request expects."""

    status = 412
    title = "The graph is in another state"
    default_remedy = "Read the graph again, and send the request with its present ETag."


def named(request: Request, headwater: App) -> str | None:
    """The graph that a request names: by `graph=`, by `default` (None), or directly by its address.

    Raises `BadParameter` for a request that names none, several, or one by a relative IRI.
    """
    path = request.url.path.removeprefix(_PATH).strip("/")
    graphs = request.query_params.getlist("graph")
    default = "default" in request.query_params
    if len(graphs) + default + bool(path) != 1:
        raise BadParameter("Name one graph: by graph=IRI, by default, or by its own address.", parameter="graph")
    if default:
        return None
    if path:
        return f"{headwater.mint.base}{_PATH.lstrip('/')}/{quote(path, safe='/~:@!$&()*+,;=')}"
    try:
        if not urlsplit(graphs[0]).scheme:
            raise ValueError("it has no scheme")
        return NamedNode(graphs[0]).value
    except ValueError as error:
        raise BadParameter(f"graph: '{graphs[0][:200]}' is no absolute IRI ({error})", parameter="graph") from error


Named = Annotated[str | None, Depends(named)]
_ONE = {
    "name": "graph",
    "in": "query",
    "required": True,
    "schema": {"type": "string", "format": "iri"},
    "description": "The IRI of a graph. For the unnamed graph write `default` instead, without a value.",
}
_VISIBILITY = {
    "name": "visibility",
    "in": "query",
    "schema": {"type": "string"},
    "description": "public, internal or project:NAME; a graph that is there keeps its own if left out.",
}
_GRAPH: dict[str, Any] = {"parameters": [_ONE]}
_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": {offer.media_type: {} for offer in RDF}}}
_WRITING: dict[str, Any] = {"parameters": [_ONE, _VISIBILITY], **_BODY}
_ADDING: dict[str, Any] = {
    "parameters": [
        {**_ONE, "required": False, "description": f"{_ONE['description']} Left out, a new one is made."},
        _VISIBILITY,
    ],
    **_BODY,
}
_READ: dict[int | str, dict[str, Any]] = {
    200: {"description": "What the graph asserts.", "content": {offer.media_type: {} for offer in RDF}},
    304: {"description": "The client holds this state."},
    404: {"description": "There is no such graph, or not for this reader.", "content": CONTENT},
}
_WROTE: dict[int | str, dict[str, Any]] = {
    201: {"description": "The graph is new."},
    204: {"description": "The graph was there."},
    409: {"description": "The graph's name is taken, or it cannot be written.", "content": CONTENT},
    412: {"description": "The graph is in another state than If-Match names.", "content": CONTENT},
    415: {"description": "No media type of RDF."},
    422: {"description": "The body cannot be read, or the gate rejected it; nothing was written.", "content": CONTENT},
}


@router.api_route(f"{_PATH}/{{path:path}}", methods=["GET", "HEAD"], include_in_schema=False)
@router.head(_PATH, summary="Is there such a graph?", openapi_extra=_GRAPH, responses=_READ)
@router.get(_PATH, summary="Read a graph", openapi_extra=_GRAPH, responses=_READ)
def read(request: Request, name: Named, headwater: App, reader: Who) -> Response:
    """What a graph asserts; blank nodes come as blank nodes. What follows from it is seen by queries."""
    offer = choose(request.headers.get("accept"), RDF, name=request.query_params.get("format"))
    head = headwater.graph_head(name, reader)
    if head is None and name is not None:
        raise NotFound(f"There is no graph <{name}>.", remedy="Ask for the graphs with SELECT DISTINCT ?g { GRAPH ?g { } }.")
    etag = _etag(head)
    if etag is not None and _matches(request.headers.get("if-none-match"), etag):
        raise Unchanged(etag, keeping(reader))
    headers = {"Vary": "Accept, Authorization", "Cache-Control": keeping(reader)} | ({"ETag": etag} if etag is not None else {})
    triples = (
        [] if head is None else _with_blank_nodes(headwater.graph_statements(head), f"{headwater.mint.base}.well-known/genid/")
    )
    return Response(_written(triples, offer), headers=headers, media_type=offer.media_type)


@router.put(f"{_PATH}/{{path:path}}", include_in_schema=False)
@router.put(_PATH, summary="Replace a graph", openapi_extra=_WRITING, responses=_WROTE)
async def replace(request: Request, name: Named, headwater: App, writer: Author) -> Response:
    """Makes the graph what the body says: read to its end first, then written as a whole."""
    return await _write(request, name, headwater, writer, merge=False)


@router.post(f"{_PATH}/{{path:path}}", include_in_schema=False)
@router.post(_PATH, summary="Add to a graph, or make one", openapi_extra=_ADDING, responses=_WROTE)
async def add(request: Request, headwater: App, writer: Author) -> Response:
    """Adds the body's statements to the graph. Without a graph a new one is made; Location names it."""
    naming = {"graph", "default"} & set(request.query_params.keys()) or request.url.path.removeprefix(_PATH).strip("/")
    name = named(request, headwater) if naming else headwater.mint.record(f"graph-{uuid4().hex}")
    return await _write(request, name, headwater, writer, merge=True)


@router.delete(f"{_PATH}/{{path:path}}", include_in_schema=False, status_code=204)
@router.delete(_PATH, summary="Withdraw a graph", openapi_extra=_GRAPH, responses=_WROTE, status_code=204)
async def drop(request: Request, name: Named, headwater: App, writer: Author) -> Response:
    """Withdraws the graph's record: it is gone from all answers, and its history stays."""

    def work() -> None:
        headwater.drop_graph(name, writer, expected=_expected(request, headwater.graph_head(name, writer)))

    try:
        await in_line(request, work)
    except Overtaken as error:
        raise PreconditionFailed(error.detail) from error
    return Response(status_code=204)


async def _write(request: Request, name: str | None, headwater: App, writer: Author, *, merge: bool) -> Response:
    the_line(request).room(getattr(request.state, "counted_as", None))
    limit = headwater.settings.max_upload_mb
    with tempfile.TemporaryDirectory(prefix="headwater-graph-") as folder:
        path = Path(folder) / "body"
        with path.open("wb") as file:
            async for piece in bounded(request, limit * 2**20, f"{limit} MiB (max_upload_mb)"):
                await to_thread.run_sync(file.write, piece)
        outcome, head = await in_line(request, lambda: _put(request, path, name, headwater, writer, merge))
    headers = {"Cache-Control": "no-store"} | ({"ETag": _etag(head) or ""} if head is not None else {})
    if outcome.status == "created":
        # A header holds no letters beyond ASCII, and an IRI may have them.
        headers["Location"] = quote(outcome.iri, safe=_AS_THEY_ARE)
    return Response(status_code=201 if outcome.status == "created" else 204, headers=headers)


def _put(
    request: Request, path: Path, name: str | None, headwater: App, writer: Author, merge: bool
) -> tuple[Any, Revision | None]:
    base = name or headwater.unnamed_graph
    limit = headwater.settings.max_upload_mb * 2**20
    triples: list[Triple] = []
    for part, media_type in _parts(path, request.headers.get("content-type", "")):
        triples += one_graph(Source(part, "the body", limit, media_type, ""), base)
    try:
        outcome = headwater.put_graph(
            name,
            triples,
            writer,
            merge=merge,
            visibility=request.query_params.get("visibility") or None,
            expected=_expected(request, headwater.graph_head(name, writer)),
        )
    except Overtaken as error:
        raise PreconditionFailed(error.detail) from error
    return outcome, headwater.graph_head(name, writer)


def _parts(path: Path, content_type: str) -> list[tuple[Path, str]]:
    """The body's documents with their media types: itself, or the parts of a form."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != "multipart/form-data":
        return [(path, media_type)]
    head, body = b"Content-Type: " + content_type.encode() + b"\r\n\r\n", path.read_bytes()
    boundary = BytesParser(policy=HTTP).parsebytes(head).get_boundary() or ""
    if body.count(b"--" + boundary.encode("utf-8", "replace")) > _MOST_PARTS + 1:
        raise TooLarge(f"The form may have more than {_MOST_PARTS} parts.", remedy="Send fewer documents at a time.")
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    found = []
    for number, part in enumerate(message.iter_parts()):
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            document = path.with_name(f"part{number}")
            document.write_bytes(content)
            found.append((document, part.get_content_type()))
    if not found:
        raise BadParameter("The form holds no document.", parameter="body")
    return found


def _etag(head: Revision | None) -> str | None:
    return None if head is None else f'"{head.digest}"'


def _matches(header: str | None, etag: str) -> bool:
    given = [one.strip().removeprefix("W/") for one in (header or "").split(",")]
    return "*" in given or etag in given


def _expected(request: Request, head: Revision | None) -> str | None:
    """The digest that the graph must have when it is written. Raises `PreconditionFailed` if it has another one now already."""
    wanted, unwanted = request.headers.get("if-match"), request.headers.get("if-none-match")
    etag = _etag(head)
    if wanted is not None and (etag is None or not _matches(wanted, etag)):
        raise PreconditionFailed("The graph has no ETag that If-Match names.")
    if unwanted is not None and etag is not None and _matches(unwanted, etag):
        raise PreconditionFailed("The graph is there already, in a state that If-None-Match names.")
    return head.digest if wanted is not None and head is not None else None


def _with_blank_nodes(triples: list[Triple], skolem: str) -> list[Triple]:
    """The statements with blank nodes for the IRIs that stand for them here (RDF 1.1, section 3.5)."""

    def told(node: Any) -> Any:
        if isinstance(node, NamedNode) and node.value.startswith(skolem):
            return BlankNode("b" + node.value.removeprefix(skolem))
        if isinstance(node, Triple):
            return Triple(told(node.subject), node.predicate, told(node.object))
        return node

    return [Triple(told(triple.subject), triple.predicate, told(triple.object)) for triple in triples]


def _written(triples: list[Triple], offer: Offer) -> bytes:
    syntax = exporter(offer.names[0])
    assert isinstance(syntax, Syntax)
    body = serialize(triples, format=syntax.format, prefixes=dict(PREFIXES))
    assert body is not None  # serialize only returns None when it is handed a file to write to
    return body
