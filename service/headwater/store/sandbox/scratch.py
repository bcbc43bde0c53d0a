"""A SPARQL update tried out on a copy of the graphs that it may touch; what it would change is the answer, nothing is written.

The service then writes the changed graphs like any other records: through the gate into the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from pyoxigraph import DefaultGraph, NamedNode, Quad, RdfFormat, Store, serialize

from headwater.errors import BadQuery, TooLarge
from headwater.store.serialising import in_short

if TYPE_CHECKING:
    from headwater.store.serialising import Output

MEDIA_TYPE: Final = "application/x-headwater-changes"


def update(store: Store, asked: dict[str, Any], begin: Callable[[str], None], output: Output) -> None:
    """Run `asked["text"]` over copies of `asked["graphs"]` (a mapping from the graph's name in the update, "" for the unnamed
    one, to its name in the store) and write each graph that came out different.

    Each is a line of JSON `[name, exists, length]` and then so many bytes of N-Triples. Raises `BadQuery` for a text that does
    not parse, `TooLarge` where the graphs hold more than `asked["most"]` statements.
    """
    copy = Store()
    names: dict[str, str] = asked["graphs"]
    room = int(asked["most"])
    for name, stored in names.items():
        quads = list(_renamed(store, NamedNode(stored), NamedNode(name) if name else DefaultGraph(), room + 1))
        room -= len(quads)
        if room < 0:
            raise TooLarge(
                f"The graphs that this update may touch hold more than {asked['most']:,} statements.",
                remedy="Name the graphs in the text (GRAPH <…>, WITH <…>) instead of a variable, or raise max_update_statements.",
            )
        copy.bulk_extend(quads)
        if name:
            copy.add_graph(NamedNode(name))
    before = {name: _body(copy, name) for name in names}
    try:
        copy.update(asked["text"], base_iri=asked["base"] or None)
    except SyntaxError as error:
        raise BadQuery(f"The update does not parse: {in_short(error)}") from error
    except (OSError, ValueError, RuntimeError) as error:
        raise BadQuery(f"The update cannot be carried out: {error}") from error
    after = {"", *(graph.value for graph in copy.named_graphs() if isinstance(graph, NamedNode))}
    begin(MEDIA_TYPE)
    for name in sorted({*before, *after}):
        body = _body(copy, name)
        if name in after and name in before and body == before[name]:
            continue
        if name not in after and name not in before:
            continue
        output.write(json.dumps([name, name in after, len(body)]).encode() + b"\n")
        output.write(body)


def _renamed(store: Store, stored: NamedNode, name: NamedNode | DefaultGraph, most: int) -> Iterator[Quad]:
    for number, quad in enumerate(store.quads_for_pattern(None, None, None, stored)):
        if number == most:
            return
        yield Quad(quad.subject, quad.predicate, quad.object, name)


def _body(copy: Store, name: str) -> bytes:
    """A graph as sorted N-Triples."""
    graph = NamedNode(name) if name else DefaultGraph()
    body = serialize((quad.triple for quad in copy.quads_for_pattern(None, None, None, graph)), format=RdfFormat.N_TRIPLES)
    assert body is not None
    return b"".join(sorted(body.splitlines(keepends=True)))


def changes(answer: bytes) -> Iterator[tuple[str, bool, bytes]]:
    """The graphs that an update would change, from the answer of `update`: name ("" for the unnamed one), whether it exists
    afterwards, and its statements as sorted N-Triples.

    >>> list(changes(b'["urn:g", true, 4]\\nabc\\n["urn:h", false, 0]\\n'))
    [('urn:g', True, b'abc\\n'), ('urn:h', False, b'')]
    """
    place = 0
    while place < len(answer):
        end = answer.index(b"\n", place) + 1
        name, there, length = json.loads(answer[place:end])
        yield name, there, answer[end : end + length]
        place = end + length
