"""Where the ontology, shapes, queries and demo lie: beside the package in a wheel, at the top of the tree in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_SHIPPED = _PACKAGE / "_data"
_CHECKOUT = _PACKAGE.parents[1]


def folder(name: str) -> Path:
    """The folder `ontology`, `shapes`, `queries` or `demo`.

    >>> folder("ontology").is_dir()
    True
    """
    if _SHIPPED.is_dir():
        return _SHIPPED / name
    return _CHECKOUT / ("examples/demo" if name == "demo" else name)
