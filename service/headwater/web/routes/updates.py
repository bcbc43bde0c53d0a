"""SPARQL 1.1 Update over HTTP: a write like any other, with a token, through the gate, all of it or nothing."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request
from pyoxigraph import NamedNode
from starlette.responses import JSONResponse, Response

from headwater.access.levels import level
from headwater.errors import BadQuery, UnknownFormat
from headwater.store.reading import Clauses
from headwater.web.at_least import SEQUENCE
from headwater.web.observing import note
from headwater.web.problems import CONTENT
from headwater.web.readers import App, Author
from headwater.web.uploads import bounded
from headwater.web.write_line import in_line, the_line

router = APIRouter(tags=["sparql"])
_FORM = "application/x-www-form-urlencoded"
_DIRECT = "application/sparql-update"


async def asked(request: Request, headwater: App, writer: Author) -> tuple[str, Clauses, str | None]:
    """The update of a request, the dataset and the visibility that it names. Raises what the protocol wants refused."""
    del writer  # asked for first, so that a stranger's body is not even read
    the_line(request).room(getattr(request.state, "counted_as", None))
    pairs = request.query_params.multi_items()
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in (_FORM, _DIRECT):
        raise UnknownFormat(
            f"an update cannot be posted as '{media_type or 'nothing'}'", remedy=f"Post {_DIRECT}, or {_FORM} with update=."
        )
    most = headwater.settings.max_update_length * (12 if media_type == _FORM else 4) + 10_000
    body = b"".join([piece async for piece in bounded(request, most, f"{most:,} bytes for an update")])
    try:
        text = body.decode("utf-8")
        if media_type == _FORM:
            pairs += parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError as error:
        raise BadQuery("the request body is not UTF-8, or has too many fields") from error
    names = [name for name, _ in pairs]
    if "query" in names:
        raise BadQuery("queries are not answered here", remedy="Ask /sparql.")
    updates = [value for name, value in pairs if name == "update"] + ([text] if media_type == _DIRECT else [])
    if len(updates) != 1:
        raise BadQuery(f"the request names {len(updates)} updates; it must be one")
    default = tuple(dict.fromkeys(value for name, value in pairs if name == "using-graph-uri"))
    graphs = tuple(dict.fromkeys(value for name, value in pairs if name == "using-named-graph-uri"))
    for graph in (*default, *graphs):
        try:
            NamedNode(graph)
        except ValueError as error:
            raise BadQuery(f"'{graph[:200]}' is no absolute IRI of a graph ({error})") from error
    visibility = next((level(value) for name, value in pairs if name == "visibility" and value), None)
    return updates[0], Clauses(default, graphs), visibility


_TEXT = {"type": "string", "format": "sparql-update"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            _DIRECT: {"schema": _TEXT, "example": 'INSERT DATA { <urn:x> <urn:p> "o" }'},
            _FORM: {"schema": {"type": "object", "properties": {"update": _TEXT}, "required": ["update"]}},
        },
    },
    "parameters": [
        {"name": name, "in": "query", "schema": {"type": "array", "items": {"type": "string"}}, "description": description}
        for name, description in (
            ("using-graph-uri", "Graphs to merge as the default graph of the patterns, instead of USING in the text."),
            ("using-named-graph-uri", "The named graphs of the patterns, instead of USING NAMED."),
        )
    ]
    + [
        {
            "name": "visibility",
            "in": "query",
            "schema": {"type": "string"},
            "description": "public, internal or project:NAME for graphs that are new; others keep theirs.",
        }
    ],
}


@router.post(
    "/sparql/update",
    summary="Update",
    openapi_extra=_BODY,
    responses={
        200: {"description": "What became of each graph, and the ledger's sequence number."},
        400: {"description": "The text does not parse, names SERVICE or LOAD, or is missing or repeated.", "content": CONTENT},
        401: {"description": "A token is needed."},
        403: {"description": "The token's scope does not reach this far; ALL needs 'admin'."},
        409: {"description": "A graph's name is taken, or others kept writing in between.", "content": CONTENT},
        415: {"description": "Neither an update nor a form."},
        422: {"description": "The gate rejected what would come of it; nothing was written.", "content": CONTENT},
        503: {"description": "The time limit was reached; nothing was written."},
    },
)
async def update(
    request: Request, said: Annotated[tuple[str, Clauses, str | None], Depends(asked)], headwater: App, writer: Author
) -> Response:
    """Changes named graphs (each is a record) and the unnamed graph, in one transaction.

    Patterns see the graphs as records assert them, not what follows from them; `USING <…/view/public>` lets them see all that is
    public. A graph that comes out empty is withdrawn.
    """
    text, dataset, visibility = said
    base = str(request.url.replace(query=""))
    told = note(request, "update", text, writer.name)
    written = await in_line(
        request, lambda: headwater.update(text, writer, dataset=dataset or None, base=base, visibility=visibility)
    )
    told.more["sequence"] = written.sequence
    return JSONResponse(written.as_dict(), headers={SEQUENCE: str(written.sequence), "Cache-Control": "no-store"})
