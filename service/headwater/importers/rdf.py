"""Importing RDF as it stands: Turtle, TriG, N-Triples, N-Quads, RDF/XML and JSON-LD, without any network access.

Each named graph of a document becomes a record of its own under the graph's IRI; the rest becomes one record. Terms are taken as
they come; what follows from them in the other vocabularies is worked out later.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from pyoxigraph import BlankNode, NamedNode, Quad, RdfFormat, Triple, parse

from headwater.errors import TooLarge, UnreadableSource
from headwater.importers.protocol import Sniff, Source
from headwater.records.draft import Draft, Failure, Finding
from headwater.terms.minting import Mint, short_hash

_FORMATS = {
    ".ttl": RdfFormat.TURTLE,
    ".turtle": RdfFormat.TURTLE,
    ".nt": RdfFormat.N_TRIPLES,
    ".nq": RdfFormat.N_QUADS,
    ".trig": RdfFormat.TRIG,
    ".rdf": RdfFormat.RDF_XML,
    ".owl": RdfFormat.RDF_XML,
    ".jsonld": RdfFormat.JSON_LD,
}
_MEDIA_TYPES = {
    "text/turtle": RdfFormat.TURTLE,
    "application/n-triples": RdfFormat.N_TRIPLES,
    "application/n-quads": RdfFormat.N_QUADS,
    "application/trig": RdfFormat.TRIG,
    "application/rdf+xml": RdfFormat.RDF_XML,
    "application/ld+json": RdfFormat.JSON_LD,
}
_BY_CONTENT = ((".json", RdfFormat.JSON_LD), (".xml", RdfFormat.RDF_XML))
_DEEPEST = 200
_HEAD = 4096
_LINE = re.compile(r"line (\d+)")


class RdfImporter:
    """RDF in six syntaxes, told apart by file name or media type, and by a look inside for `.json` and `.xml`."""

    name = "rdf"
    version = "1"
    title = "RDF: Turtle, TriG, N-Triples, N-Quads, RDF/XML, JSON-LD"
    evidence = "declared"

    def sniff(self, source: Source) -> Sniff | None:
        if source.media_type in _MEDIA_TYPES:
            return Sniff(0.95, f"its media type is {source.media_type}")
        suffix = Path(source.name).suffix.lower()
        if source.path.is_dir():
            return None
        if suffix in _FORMATS:
            return Sniff(0.9, f"its name ends in {suffix}")
        head = _head(source.path)
        if suffix == ".json" and b"@context" in head:
            return Sniff(0.6, "it is JSON with an @context")
        if suffix == ".xml" and b"http://www.w3.org/1999/02/22-rdf-syntax-ns#" in head:
            return Sniff(0.6, "it is XML in RDF's namespace")
        if not suffix and re.match(rb"\s*(@prefix|PREFIX|@base)\s", head):
            return Sniff(0.6, "it begins like Turtle")
        return None

    def size(self, source: Source) -> int | None:  # noqa: ARG002 (a document is one to a few records)
        return None

    def read(self, source: Source, mint: Mint) -> Iterator[Draft | Failure]:
        data = _bytes(source)
        syntax = _syntax(source, data)
        _refuse_traps(source, data, syntax)
        quads, findings = _parse(source, data, syntax)
        by_graph: dict[str | None, list[Triple]] = {}
        for quad in quads:
            graph = quad.graph_name
            key = graph.value if isinstance(graph, NamedNode) else f"_:{graph.value}" if isinstance(graph, BlankNode) else None
            by_graph.setdefault(key, []).append(quad.triple)
        key = _key(source, data)
        if not by_graph:
            findings.append(Finding("missing", "no-statements", "the document holds no statement", source.name))
            by_graph = {None: []}
        for number, (graph_name, triples) in enumerate(sorted(by_graph.items(), key=lambda item: item[0] or "")):
            if graph_name is None or graph_name.startswith("_:"):
                iri = mint.record(key if graph_name is None else f"{key}-{number}")
                title = Path(source.name).name
            else:
                iri, title = graph_name, graph_name
            yield Draft(iri, source.name, title, triples, findings if number == 0 else [])


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _bytes(source: Source) -> bytes:
    size = source.path.stat().st_size
    if size > source.max_bytes:
        raise TooLarge(
            f"{source.name} has {size / 2**20:.0f} MiB; {source.max_bytes / 2**20:.0f} MiB are allowed.",
            remedy="Split it, or raise max_upload_mb.",
        )
    return source.path.read_bytes()


def _syntax(source: Source, data: bytes) -> RdfFormat:
    if source.media_type in _MEDIA_TYPES:
        return _MEDIA_TYPES[source.media_type or ""]
    suffix = Path(source.name).suffix.lower()
    if suffix in _FORMATS:
        return _FORMATS[suffix]
    for ending, syntax in _BY_CONTENT:
        if suffix == ending:
            return syntax
    start = data.lstrip()[:1]
    return (
        RdfFormat.JSON_LD if start in (b"{", b"[") else RdfFormat.RDF_XML if data.lstrip()[:5] == b"<?xml" else RdfFormat.TURTLE
    )


def _key(source: Source, data: bytes) -> str:
    """What makes this source the same one next time: where it lies; for an upload without a name, what it says."""
    if source.identity:
        return f"rdf-{short_hash(source.identity)}"
    return f"rdf-{hashlib.sha256(data).hexdigest()[:16]}"


def _refuse_traps(source: Source, data: bytes, syntax: RdfFormat) -> None:
    """What would bring the parser down or make it fetch: refused with words before it starts."""
    if syntax == RdfFormat.RDF_XML and re.search(rb"<!(DOCTYPE|ENTITY)", data[: 2**16], re.IGNORECASE):
        if re.search(rb"<!ENTITY\s+%|SYSTEM|PUBLIC", data[: 2**16]):
            raise UnreadableSource(
                f"{source.name}: external entities are not read.", remedy="Write the document without a DOCTYPE."
            )
        if data.count(b"<!ENTITY") > 100 or re.search(rb"<!ENTITY[^>]*&", data[: 2**16]):
            raise UnreadableSource(
                f"{source.name}: entities that contain entities are not expanded.", remedy="Write the document without them."
            )
    if syntax == RdfFormat.JSON_LD:
        _refuse_remote_context(source, data)
    if syntax in (RdfFormat.TURTLE, RdfFormat.TRIG, RdfFormat.JSON_LD) and _nesting(data) > _DEEPEST:
        raise UnreadableSource(f"{source.name}: brackets are nested deeper than {_DEEPEST} levels.")


def _nesting(data: bytes) -> int:
    deepest = depth = 0
    for match in re.finditer(rb'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|<[^<>\s]*>|[(\[{]|[)\]}]|<<', data):
        token = match.group()
        if token in (b"(", b"[", b"{", b"<<"):
            depth += 1
            deepest = max(deepest, depth)
        elif token in (b")", b"]", b"}"):
            depth -= 1
    return deepest


def _refuse_remote_context(source: Source, data: bytes) -> None:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise UnreadableSource(f"{_at(source, line)}: is no JSON ({error}).", line=line) from error
    remote = sorted(set(_contexts(document)))
    if remote:
        raise UnreadableSource(
            f"{source.name}: the JSON-LD context {remote[0]} would have to be fetched, and nothing is fetched.",
            remedy="Put the context into the document, or use the importer for this kind of document.",
        )


def _contexts(node: object) -> Iterator[str]:
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, list):
            stack.extend(current)
        elif isinstance(current, dict):
            context = current.get("@context")
            for entry in context if isinstance(context, list) else [context]:
                if isinstance(entry, str):
                    yield entry
            stack.extend(value for key, value in current.items() if key != "@context")


def _parse(source: Source, data: bytes, syntax: RdfFormat) -> tuple[list[Quad], list[Finding]]:
    try:
        return list(parse(data, format=syntax)), []
    except (SyntaxError, ValueError) as error:
        strict = error
    # Blanks and other stray characters in IRIs are the commonest fault of real files (8 of 14 MEX files); the lenient parser
    # takes them, and they are percent-encoded. Where that mends nothing, the strict message is the better one.
    try:
        quads = list(parse(data, format=syntax, lenient=True))
    except (SyntaxError, ValueError):
        quads = []
    mended = [_encoded(quad) for quad in quads]
    repaired = sum(1 for before, after in zip(quads, mended, strict=True) if before != after)
    if not quads or not repaired or any(_relative(quad) for quad in mended):
        line = _line_of(strict)
        raise UnreadableSource(
            f"{_at(source, line)}: {_words(strict)}",
            remedy="Correct the document; relative IRIs need an @base. Nothing of this file was taken.",
            line=line,
        ) from strict
    found = Finding(
        "repaired", "iri-characters", f"{repaired} statements had IRIs with characters that must be percent-encoded", source.name
    )
    return mended, [found]


_STRAY = re.compile(r"[\x00-\x20<>\"{}|\\^`]")


def _encoded(quad: Quad) -> Quad:
    def mend(node: object) -> object:
        if isinstance(node, NamedNode) and _STRAY.search(node.value):
            return NamedNode(_STRAY.sub(lambda match: "".join(f"%{byte:02X}" for byte in match.group().encode()), node.value))
        return node

    return Quad(mend(quad.subject), mend(quad.predicate), mend(quad.object), mend(quad.graph_name))  # type: ignore[arg-type]


def _relative(quad: Quad) -> bool:
    nodes = (quad.subject, quad.predicate, quad.object, quad.graph_name)
    return any(isinstance(node, NamedNode) and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", node.value) for node in nodes)


def _line_of(error: Exception) -> int | None:
    line = getattr(error, "lineno", None)
    if isinstance(line, int):
        return line
    match = _LINE.search(str(error))
    return int(match.group(1)) if match else None


def _words(error: Exception) -> str:
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    if "utf" in message.lower():
        return f"{message} (RDF is read as UTF-8)"
    return message


def _at(source: Source, line: int | None) -> str:
    return source.name if line is None else f"{source.name}:{line}"
