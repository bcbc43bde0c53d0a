"""Paths of no steps from or to a constant give what SPARQL's definition gives, on small graphs worked out by hand."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import NamedNode, Quad, QuerySolutions, Store

from headwater.store.serialising import run

X = "https://e.x/"
G, HIDDEN = NamedNode(f"{X}g"), NamedNode(f"{X}hidden")
_NODES = [NamedNode(X + letter) for letter in "abcd"]
_P, _Q = NamedNode(f"{X}p"), NamedNode(f"{X}q")
_quads = st.lists(
    st.builds(Quad, st.sampled_from(_NODES), st.sampled_from([_P, _Q]), st.sampled_from(_NODES), st.sampled_from([G, HIDDEN])),
    max_size=6,
)
_Steps = set[tuple[NamedNode, NamedNode]]


def _steps(quads: list[Quad], path: str) -> _Steps:
    pairs = {(q.subject, q.object, q.predicate) for q in quads if q.graph_name == G}
    found = {(s, o) for s, o, p in pairs if p == _P or "q" in path}
    return {(o, s) for s, o in found} if "^" in path else found  # type: ignore[misc]


def _reached(start: NamedNode, steps: _Steps, often: str) -> set[NamedNode]:
    """ALP of the definition (18.4) for `*`, one step or none for `?`."""
    found, new = {start}, {start}
    while new:
        new = {end for begin, end in steps if begin in new} - found
        found |= new
        if often == "?":
            break
    return found


@settings(max_examples=200, deadline=None)
@given(
    _quads,
    st.sampled_from(_NODES),
    st.sampled_from(["<p>", "^<p>", "(<p>|<q>)", "^(<p>|<q>)"]),
    st.sampled_from("*?"),
    st.booleans(),
)
def test_a_constant_end_gives_what_the_definition_gives(
    quads: list[Quad], constant: NamedNode, path: str, often: str, forwards: bool
) -> None:
    store = Store()
    store.extend(quads)
    steps = _steps(quads, path)
    expected = _reached(constant, steps if forwards else {(o, s) for s, o in steps}, often)
    # `^p*` is read as `^(p*)`, which is the same.
    pattern = f"{constant} {path}{often} ?x" if forwards else f"?x {path}{often} {constant}"
    for text in (f"{{ {pattern} }}", f"{{ {pattern} OPTIONAL {{ ?x <none> ?n }} }}", f"{{ {{ SELECT ?x {{ {pattern} . }} }} }}"):
        found = run(store, f"SELECT ?x {text}", [G], base=X)
        assert isinstance(found, QuerySolutions)
        assert Counter(row["x"] for row in found) == Counter(expected), (text, quads)


def test_it_joins_like_any_other_pattern() -> None:
    store = Store()
    store.add(Quad(_NODES[0], _P, _NODES[1], G))

    def asked(text: str) -> bool:
        return bool(run(store, text, [G], base=X))

    assert asked("ASK { <c> <p>* <c> }")
    assert not asked("ASK { <c> <p>* <d> }")
    assert not asked("ASK { <c> <p>+ ?x }")
    assert not asked("ASK { <c> <p>* ?x . ?x <p> ?y }")
    assert asked("ASK { VALUES ?y { <c> <d> } FILTER EXISTS { <c> <p>* ?y } }")
    assert asked("ASK { VALUES ?x { <d> } FILTER NOT EXISTS { <c> <p>? ?x } }")
    assert asked("ASK { ?s <p> ?o . <c> <p>* ?x FILTER(?x = <c>) }")
