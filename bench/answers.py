"""What an answer to a SPARQL query says, whatever order and spelling a server gives it: so that servers can be compared."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

_XSD = "http://www.w3.org/2001/XMLSchema#"
_NUMBERS = frozenset(_XSD + name for name in ("integer", "decimal", "double", "float", "int", "long", "nonNegativeInteger"))


@dataclass(frozen=True, slots=True)
class Answer:
    """How many rows (or statements) there are, and a digest of them as a bag."""

    rows: int
    digest: str


def bag(body: bytes, *, graph: bool = False) -> Answer:
    """An answer in SPARQL results as JSON, or in N-Triples where it is a graph, as a set. Raises ValueError for what is neither.

    >>> one = b'{"head": {}, "results": {"bindings": [{"n": {"type": "literal", "value": "1", "datatype": "%sinteger"}}]}}'
    >>> two = b'{"results": {"bindings": [{"n": {"type": "typed-literal", "value": "01", "datatype": "%sint"}}]}}'
    >>> xsd = b"http://www.w3.org/2001/XMLSchema#"
    >>> bag(one % xsd) == bag(two % xsd), bag(b'{"boolean": true}').rows
    (True, 1)
    """
    if graph:
        lines = {line.strip() for line in body.decode().splitlines() if line.strip() and not line.startswith("#")}
        return _bag(sorted(" ".join(line.rstrip(".").split()) for line in lines))
    said = json.loads(body)
    if "boolean" in said:
        return _bag([str(said["boolean"])])
    rows = said["results"]["bindings"]
    return _bag(sorted("\x1f".join(sorted(f"{name}={_term(value)}" for name, value in row.items())) for row in rows))


def _bag(rows: list[str]) -> Answer:
    return Answer(len(rows), hashlib.sha256("\x1e".join(rows).encode()).hexdigest()[:12])


def _term(value: dict[str, str]) -> str:
    kind, text = value["type"], value["value"]
    datatype = value.get("datatype", "")
    if datatype in _NUMBERS:
        return f"{float(text):.9g}"
    if datatype == _XSD + "dateTime":
        text = text.replace("+00:00", "Z").replace(".000", "")
    return f"{kind.replace('typed-', '')} {text} {datatype.removeprefix(_XSD + 'string')} {value.get('xml:lang', '').lower()}"
