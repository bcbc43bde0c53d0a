"""Each difference between the two ways of checking that docs/conformance.md names, with who is right: a pin, not a wish."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from pyoxigraph import Quad, Store

from headwater.checking.compiler import Compiled
from headwater.checking.judge import Judge, whole
from headwater.checking.shapes import Shapes
from tests.checking.generated import triples

_FOLDER = Path(__file__).parent
_KNOWN = tomllib.loads((_FOLDER / "differences.toml").read_text(encoding="utf-8"))["difference"]
_DOCS = _FOLDER.parents[1] / "docs" / "conformance.md"


def _compiled(shape: str, data: str) -> int:
    store, shapes = _store(data), Shapes(triples(shape))
    compiled = Compiled(shapes, lambda text: (tuple(row) for row in store.query(text)))  # type: ignore[union-attr, arg-type]
    return sum(1 for node in shapes.targeted_nodes() for _ in compiled.outcomes(node))


def _pyshacl(shape: str, data: str) -> int | str:
    shapes, judge = Shapes(triples(shape)), Judge(triples(shape))
    try:
        return sum(len(judge.outcomes(whole(_store(data)), node, shapes)) for node in shapes.targeted_nodes())
    except Exception as error:
        return type(error).__name__


def _store(data: str) -> Store:
    store = Store()
    store.extend(Quad(triple.subject, triple.predicate, triple.object) for triple in triples(data))
    return store


@pytest.mark.parametrize("known", _KNOWN, ids=lambda known: known["name"])
def test_the_two_ways_differ_as_is_told(known: dict[str, str | int]) -> None:
    shape, data = str(known["shape"]), str(known["data"])
    assert (_compiled(shape, data), _pyshacl(shape, data)) == (known["compiled"], known["pyshacl"])


def test_each_difference_stands_in_the_docs() -> None:
    page = " ".join(_DOCS.read_text(encoding="utf-8").split())
    for known in _KNOWN:
        assert " ".join(known["text"].split()) in page, known["name"]


def test_nothing_is_named_that_is_the_same() -> None:
    for known in _KNOWN:
        assert known["compiled"] != known["pyshacl"], known["name"]
