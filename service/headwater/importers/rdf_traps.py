"""What is looked for in an RDF document before it is parsed: what would bring the parser down, make it fetch, or be passed over.

Measured with pyoxigraph 0.5.13: 4,000 nested JSON-LD objects and 200,000 nested triple terms end the process, entities that
contain entities are expanded without a limit, a truncated RDF/XML document is taken as if it were whole, and JSON-LD's own
rules drop terms that no context defines without a word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from pyoxigraph import RdfFormat

from headwater.errors import UnreadableSource
from headwater.importers.protocol import Source
from headwater.records.draft import Finding

_DEEPEST = 200
_LONGEST_ENTITY = 1000
_MOST_EXPANSION = 10
_NAMED = 5
_MOST_ATTRIBUTES = 1000
_MOST_COPIED = 10_000_000
"""The parser copies all terms for each context within the document: half a microsecond each, and nothing else runs meanwhile."""
_BRACKETED = re.compile(
    rb"""
      "{3}(?:"{0,2}(?:[^"\\]|\\.))*"{3} | '{3}(?:'{0,2}(?:[^'\\]|\\.))*'{3}
    | "(?:[^"\\\n\r]|\\.)*" | '(?:[^'\\\n\r]|\\.)*'
    | <(?:[^<>"{}|^`\\\x00-\x20]|\\.)*> | \\. | \#[^\n\r]*
    | (?P<open> <<\(? | [(\[{] ) | (?P<close> \)?>> | [)\]}] )
    """,
    re.VERBOSE | re.DOTALL,
)


def refuse_traps(source: Source, data: bytes, syntax: RdfFormat) -> list[Finding]:
    """Raises `UnreadableSource` for a document that must not reach the parser; returns what a person should know of it."""
    if syntax == RdfFormat.RDF_XML:
        _look_through_xml(source, data)
        return []
    if syntax == RdfFormat.JSON_LD:
        return _look_through_json(source, data)
    depth = 0
    for match in _BRACKETED.finditer(data):
        if match.lastgroup == "open":
            depth += 1
            if depth > _DEEPEST:
                raise _too_deep(source, data.count(b"\n", 0, match.start()) + 1)
        elif match.lastgroup == "close":
            depth = max(0, depth - 1)
    return []


def _too_deep(source: Source, line: int | None) -> UnreadableSource:
    where = source.name if line is None else f"{source.name}:{line}"
    return UnreadableSource(f"{where}: brackets are nested deeper than {_DEEPEST} levels.", line=line)


class _Xml:
    """A look through an XML document by the standard library's parser, which fetches nothing by itself."""

    def __init__(self, source: Source, size: int) -> None:
        self.source = source
        self.depth = 0
        self.room = max(2**20, _MOST_EXPANSION * size)
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.EntityDeclHandler = self.entity
        self.parser.StartDoctypeDeclHandler = self.doctype

    def refuse(self, what: str) -> UnreadableSource:
        line = self.parser.CurrentLineNumber
        return UnreadableSource(
            f"{self.source.name}:{line}: {what}", remedy="Write the document without a DOCTYPE that needs this.", line=line
        )

    def doctype(self, _name: str, system: str | None, public: str | None, _inside: bool) -> None:
        if system or public:
            raise self.refuse("external entities are not read.")

    def entity(self, name: str, parameter: bool, value: str | None, *_outside: str | None) -> None:
        if parameter or value is None:
            raise self.refuse(f"external entities are not read ({name}).")
        if "&" in value:
            raise self.refuse(f"entities that contain entities are not expanded ({name}).")
        if len(value) > _LONGEST_ENTITY:
            raise self.refuse(f"entities longer than {_LONGEST_ENTITY} characters are not expanded ({name}).")

    def start(self, _name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _too_deep(self.source, self.parser.CurrentLineNumber)
        if len(attributes) > _MOST_ATTRIBUTES:
            # Each look at a name goes through all prefixes that are declared: 30,000 of them take seconds.
            raise self.refuse(f"an element has more than {_MOST_ATTRIBUTES:,} attributes.")
        for value in attributes.values():
            self.text(value)

    def text(self, value: str) -> None:
        self.room -= len(value)
        if self.room < 0:
            raise self.refuse(f"its entities make it more than {_MOST_EXPANSION} times as long.")

    def end(self, _name: str) -> None:
        self.depth -= 1


def _look_through_xml(source: Source, data: bytes) -> None:
    looking = _Xml(source, len(data))
    if b"<!ENTITY" in data:
        looking.parser.CharacterDataHandler = looking.text
    try:
        looking.parser.Parse(data, True)
    except expat.ExpatError as error:
        words = expat.errors.messages[error.code]
        raise UnreadableSource(f"{source.name}:{error.lineno}: is no complete XML ({words}).", line=error.lineno) from error
    except (LookupError, ValueError) as error:
        # Which encodings there are is asked of Python.
        raise UnreadableSource(f"{source.name}:1: is in no encoding that can be read ({error}).", line=1) from error


def _look_through_json(source: Source, data: bytes) -> list[Finding]:
    try:
        text = data.decode("utf-8-sig")
        document = json.loads(text)
    except RecursionError as error:
        raise _too_deep(source, None) from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableSource(f"{source.name}:{line}: is not in UTF-8.", line=line) from error
    except ValueError as error:
        at: int | None = getattr(error, "lineno", None)
        where = source.name if at is None else f"{source.name}:{at}"
        raise UnreadableSource(f"{where}: is no JSON ({error}).", line=at) from error
    if not isinstance(document, dict | list):
        raise UnreadableSource(f"{source.name}: is JSON, but no JSON-LD document (an object or a list of objects).")
    seen = _JsonLd()
    for depth in seen.walk(document):
        if depth > _DEEPEST:
            raise _too_deep(source, None)
    if seen.remote:
        raise UnreadableSource(
            f"{source.name}: the JSON-LD context {min(seen.remote)} would have to be fetched, and nothing is fetched.",
            remedy="Put the context into the document, or use the importer for this kind of document.",
        )
    if seen.copies * len(seen.terms) > _MOST_COPIED:
        raise UnreadableSource(
            f"{source.name}: has {seen.copies:,} contexts within or to be applied, over {len(seen.terms):,} terms.",
            remedy="Write one @context at the top, without contexts in the definitions of terms; or send Turtle.",
        )
    if seen.has_vocabulary:
        return []
    lost = sorted(seen.keys - seen.terms)
    return [
        Finding("unmapped", "undefined-term", f"'{key}' is defined by no @context, so JSON-LD takes no notice of it", source.name)
        for key in lost
    ]


def _longest_chain(context: dict[str, Any]) -> int:
    """How many terms of a context stand one upon the other: the parser goes down such a chain by recursion, and 5,000 end the
    process. One that comes back to itself counts as far as its beginning."""
    depths: dict[str, int] = {}
    for term in context:
        chain: dict[str, None] = {}
        here: str | None = term
        while here is not None and here not in depths and here not in chain:
            chain[here] = None
            here = _stands_on(here, context)
        depth = depths.get(here, 0) if here is not None else 0
        for one in reversed(chain):
            depth += 1
            depths[one] = depth
    return max(depths.values(), default=0)


def _stands_on(term: str, context: dict[str, Any]) -> str | None:
    """The other term of the same context that has to be known before this one."""
    value = context[term]
    meant = value.get("@id", value.get("@reverse", term)) if isinstance(value, dict) else value
    for word in (meant, term, value.get("@type") if isinstance(value, dict) else None):
        if isinstance(word, str):
            for name in (word, word.partition(":")[0]):
                if name != term and name in context:
                    return name
    return None


class _JsonLd:
    """What a JSON-LD document says of its own words."""

    def __init__(self) -> None:
        self.remote: set[str] = set()
        self.terms: set[str] = set()
        self.keys: set[str] = set()
        self.has_vocabulary = False
        self.contexts = self.scoped = self.nodes = 0

    @property
    def copies(self) -> int:
        """How often the parser may have to copy what is defined: for each context, and where a term has one of its own for each
        object that may use it."""
        return self.contexts + (self.scoped + self.nodes if self.scoped else 0)

    def walk(self, document: object) -> Iterator[int]:
        """Goes through everything; gives the depth of each object and list."""
        todo: list[tuple[Any, int, bool]] = [(document, 1, False)]
        while todo:
            node, depth, in_context = todo.pop()
            if not isinstance(node, dict | list):
                continue
            yield depth
            if isinstance(node, list):
                todo.extend((item, depth + 1, in_context) for item in node)
                if in_context:
                    self.remote.update(item for item in node if isinstance(item, str))
                continue
            self.nodes += not in_context
            if in_context:
                yield depth + _longest_chain(node)
            for key, value in node.items():
                if key == "@context":
                    self.contexts += 1
                    if isinstance(value, str):
                        self.remote.add(value)
                    todo.append((value, depth + 1, True))
                elif in_context:
                    self._defined(key, value)
                    # Inside a definition only a further @context, of a term or a type, is a context.
                    todo.extend((inner, depth + 2, True) for inner in _scoped(value))
                elif key == "@value" or value is None:
                    continue
                else:
                    if not key.startswith("@") and ":" not in key:
                        self.keys.add(key)
                    todo.append((value, depth + 1, False))

    def _defined(self, key: str, value: object) -> None:
        if key == "@import" and isinstance(value, str):
            self.remote.add(value)
        elif key == "@vocab":
            self.has_vocabulary = True
        else:
            self.terms.add(key)
        for inner in _scoped(value):
            self.scoped += 1
            if isinstance(inner, str):
                self.remote.add(inner)


def _scoped(definition: object) -> list[object]:
    inner = definition.get("@context") if isinstance(definition, dict) else None
    return [] if inner is None else [inner]
