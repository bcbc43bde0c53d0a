"""The OpenAPI document told more exactly than types tell it: which words a parameter takes, and what any request may meet.

Clients that are made from the document, and tests that are (schemathesis), know from it what will be understood.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from headwater.checking.messages import LANGUAGES
from headwater.checking.profiles import profile_names
from headwater.exporters.registry import fitting
from headwater.importers.registry import formats
from headwater.lineage.asking import INCLUDES, NODE_FIELDS
from headwater.terms.vocabulary import vocabulary
from headwater.web.negotiation import RDF
from headwater.web.problems import CONTENT

_METHODS = ("get", "post", "put", "delete", "head", "options", "patch")
_TIME: dict[str, Any] = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}
_SEQUENCE: dict[str, Any] = {"type": "string", "pattern": "^[0-9]{1,18}$", "format": "ledger-sequence"}
_KNOWN: dict[str, Any] = {"anyOf": [_SEQUENCE, *_TIME["anyOf"]]}
_NUMBER: dict[str, Any] = {"type": "number", "minimum": 0}
_DEPTH: dict[str, Any] = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 999_999_999}, {"const": "full"}]}
_IRI: dict[str, Any] = {"type": "string", "format": "iri", "minLength": 1}
_BLANK = {"type": "string", "maxLength": 0}
_WORDS: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_SLICE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        **dict.fromkeys(("files", "digests", "ids", "columns", "labels"), _WORDS),
        **{name: {"type": "string", "format": "date-time"} for name in ("after", "before")},
        **{name: {"type": "integer"} for name in ("first_run", "last_run")},
    },
}
_TYPES = {
    "json": "application/json",
    "srj": "application/sparql-results+json",
    "srx": "application/sparql-results+xml",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "html": "text/html",
    "snakefile": "text/x-snakefile",
    **{offer.names[0]: offer.media_type for offer in RDF},
}
_SYNTAXES = tuple(name for offer in RDF for name in offer.names)
_ROWS = ("json", "srj", "xml", "srx", "csv", "tsv")
_FORMATS: dict[str, tuple[str, ...]] = {
    "/api/v1/audits": ("json", "html", *_SYNTAXES),
    "/api/v1/benefits": ("json", "csv", "html", *_SYNTAXES),
    "/api/v1/benefits/report": ("json", "csv", "html"),
    "/api/v1/explain": ("json", "csv", "html", *_SYNTAXES),
    "/api/v1/impact": ("json", "csv", "html", *_SYNTAXES),
    "/api/v1/impact/diff": ("json", "csv"),
    "/api/v1/lineage": ("json", "csv", "html", *_SYNTAXES),
    "/api/v1/objects": ("json", "csv", "html", *_SYNTAXES),
    "/api/v1/plans": ("json", "csv", "snakefile", "html"),
    "/sparql/store": _SYNTAXES,
    "/terms": ("html", *_SYNTAXES),
    "/terms/{local}": ("html", *_SYNTAXES),
    "/.well-known/void": _SYNTAXES,
}
"""The names that `format` takes, by address."""
_CONTENTS = {
    "/graph/{kind}/{key}.{suffix}": ("image/svg+xml", "image/png", "application/json", "text/vnd.graphviz"),
    "/badge/{kind}/{key}.svg": ("image/svg+xml",),
    "/api/v1/validate": ("application/json", "text/turtle"),
    "/metrics": ("text/plain",),
}
"""The media types of an answer where no `format` names them."""
_WRITES = ("/api/v1/records", "/api/v1/records/{id}", "/api/v1/statements", "/api/v1/audits", "/sparql/update", "/sparql/store")
MET = {
    "400": "The request cannot be read.",
    "401": "The token does not hold, or one is needed.",
    "403": "The token's scope does not reach this far.",
    "410": "It was withdrawn; the problem holds its tombstone.",
    "413": "Larger than a limit.",
    "503": "Not available now, or a time limit was reached; Retry-After says when to try again.",
    "507": "The disk refused.",
}
"""What any request may meet, besides what its own route tells."""
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}}
_ETAG = {"ETag": {"description": "Stands for this state; send it as If-None-Match.", "schema": {"type": "string"}}}
_REFUSED = {"/api/v1/impact/diff": ("as_of", "known_at")}
"""Parameters of the family that an address does not take: a difference is between `since` and `until`."""
_EITHER: dict[str, Any] = {
    "if": {
        "anyOf": [
            {"required": ["change"], "properties": {"change": {"type": "string"}}},
            {"required": ["slice"], "properties": {"slice": {"type": "object"}}},
        ]
    },
    "then": {"required": ["id"], "properties": {"id": {"minItems": 1}}},
    "not": {"required": ["id", "changes"], "properties": {"id": {"minItems": 1}, "changes": {"minItems": 1}}},
}
"""Of a plan: a supposed change needs a thing that it happens to, and there are two ways to name changes."""
_BODIES = {"Impact": "/api/v1/impact", "PlanPosted": "/api/v1/plans", "Supposed": "/api/v1/plans"}
"""The schemas of JSON bodies that take the same words as the parameters of an address."""


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document of `app`, made once."""
    if app.openapi_schema is None:
        found = FastAPI.openapi(app)
        for path, method, operation in _operations(found):
            refused = _REFUSED.get(path, ())
            operation["parameters"] = [one for one in operation.get("parameters", []) if one["name"] not in refused]
            for parameter in operation["parameters"]:
                _tell(parameter, _words(parameter["name"], path, method))
            _meet(operation, path, method)
        found.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        schemas = found["components"].get("schemas", {})
        for name, path in _BODIES.items():
            for field, schema in schemas.get(name, {}).get("properties", {}).items():
                if words := _words(field, path, "body"):
                    _narrow(schema, words)
        if "PlanPosted" in schemas:
            schemas["PlanPosted"] |= _EITHER
        app.openapi_schema = found
    return app.openapi_schema


def _operations(found: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in found["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield path, method, methods[method]


def _tell(parameter: dict[str, Any], words: dict[str, Any] | None) -> None:
    schema = parameter["schema"]
    # An address has no null: what is left out is not sent.
    ways = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    if len(ways) < len(schema.get("anyOf", [])):
        del schema["anyOf"]
        schema.update(ways[0] if len(ways) == 1 else {"anyOf": ways})
    if words is _SLICE:
        parameter["content"] = {"application/json": {"schema": _SLICE, "example": {"labels": ["7"]}}}
        del parameter["schema"]
    elif words:
        _narrow(schema, words)


def _narrow(schema: dict[str, Any], words: dict[str, Any]) -> None:
    """Have a schema take these words only, and null where it took that."""
    told = words if words.keys() & {"type", "anyOf"} else {"type": "string", **words}
    if schema.get("type") == "array":
        # Blank items are passed over, as forms send what was left blank.
        schema["items"] = {"anyOf": [told, _BLANK]}
        return
    kept = {name: schema[name] for name in ("title", "description", "default", "examples") if name in schema}
    empty = any(one.get("type") == "null" for one in schema.get("anyOf", []))
    schema.clear()
    schema |= kept | ({"anyOf": [told, {"type": "null"}]} if empty else told)


def _meet(operation: dict[str, Any], path: str, method: str) -> None:
    """What any request may be answered by, and the media types of what it is answered by."""
    answers = operation["responses"]
    types = (
        _CONTENTS.get(path)
        or _exports(path)
        or tuple(dict.fromkeys(_TYPES[name] for name in _FORMATS.get(path, ()) if name in _TYPES))
    )
    for status, words in MET.items():
        answers.setdefault(status, {"description": words})
    if method in ("get", "head"):
        answers.setdefault("304", {"description": "What the client holds is current (If-None-Match)."})
    if "html" in _FORMATS.get(path, ()) or _exports(path):
        answers.setdefault("303", {"description": "To the page for people."})
    for status, answer in answers.items():
        if status >= "400":
            answer["content"] = CONTENT | {"text/html": {}}
        elif status == "200" and types and not path.startswith("/sparql"):
            old = answer.get("content", {})
            answer["content"] = {media_type: old.get(media_type, {}) for media_type in types}
        if status in ("429", "503"):
            answer["headers"] = _RETRY
        elif status in ("200", "304") and method in ("get", "head"):
            answer["headers"] = _ETAG | answer.get("headers", {})
    writes = method not in ("get", "head") and path in _WRITES
    operation["security"] = [{"token": []}] if writes else [{}, {"token": []}]


def _exports(path: str) -> tuple[str, ...]:
    """The media types of an object as data; those of the exporters among them."""
    if path != "/api/v1/objects/{id}":
        return ()
    found = (one.media_type for kind in vocabulary().kinds for one in fitting(kind.name))
    return tuple(dict.fromkeys(("application/json", *found)))


def _words(name: str, path: str, method: str) -> dict[str, Any] | None:
    """The schema of a parameter's values (of a list: of each of them); None where what the types say is all."""
    if name == "format":
        return _formats(path, method)
    words = vocabulary()
    kinds = [kind.name for kind in words.kinds]
    if name == "change" and path != "/api/v1/statements":
        return {"enum": sorted(words.changes)}
    if name == "visibility":
        return {"pattern": "^(public|internal|project:[A-Za-z0-9][A-Za-z0-9._-]{0,63})?$"}
    if name == "depth":
        return _DEPTH
    if name in ("hours", "kwh"):
        return _NUMBER
    told: dict[str, dict[str, Any]] = {
        "id": {"minLength": 1, "maxLength": 4000} if path == "/api/v1/plans" and method == "body" else {},
        "kind": {"enum": kinds} if path == "/api/v1/objects" else {},
        "types": {"enum": [*kinds, "entity"] if path != "/api/v1/plans" else kinds},
        "roles": {"enum": [role.name for role in words.roles if role.stated]},
        "stop_at": {"anyOf": [{"enum": kinds}, _IRI]},
        "ignore_as_hops": {"anyOf": [{"enum": kinds}, _IRI]},
        "fields": {"enum": list(NODE_FIELDS)},
        "include": {"enum": [*INCLUDES, "none"]},
        "as_of": _TIME,
        "known_at": _KNOWN,
        "since": _KNOWN,
        "until": _KNOWN,
        "year": {"pattern": "^(19|2[0-9])[0-9]{2}$", "format": "year-that-began"},
        "language": {"enum": list(LANGUAGES)},
        "profile": {"enum": profile_names()},
        "suffix": {"enum": ["svg", "png", "dot", "json"]},
        "slice": _SLICE,
        "query": {"format": "sparql-query", "minLength": 1} if path == "/sparql" else {},
        "graph": _IRI,
        "using-graph-uri": _IRI,
        "using-named-graph-uri": _IRI,
    }
    return told.get(name) or None


def _formats(path: str, method: str) -> dict[str, Any]:
    if path == "/api/v1/validate" and method == "get":
        return {"enum": ["json", "turtle"]}
    if path in ("/api/v1/records", "/api/v1/validate"):
        return {"enum": ["auto", *formats()]}
    if path == "/sparql":
        return {"enum": ["", "html", *_ROWS, *_SYNTAXES]}
    if path == "/api/v1/objects/{id}":
        kinds = [kind.name for kind in vocabulary().kinds]
        return {"enum": ["json", "html", *dict.fromkeys(one.name for kind in kinds for one in fitting(kind))]}
    return {"enum": list(_FORMATS[path])} if path in _FORMATS else {}
