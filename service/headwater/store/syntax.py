"""Whether a text is a query that the triplestore understands, told before it is asked about any data."""

from __future__ import annotations

from pyoxigraph import Store

from headwater.store.serialising import in_short


def refusal(query: str) -> str:
    """Why a query cannot be read, or nothing.

    >>> refusal("SELECT ?s { ?s ?p ?o }"), "expected" in refusal("SELECT ?s { ?s ?p }")
    ('', True)
    """
    try:
        Store().query(query)
    except SyntaxError as error:
        return in_short(error)
    return ""
