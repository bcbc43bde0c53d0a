"""Which triplestore the settings name: ours and other people's come through the same door, the entry points `headwater.stores`.

The setting `store` begins with the name of an entry point: `embedded`, `sparql+http://host/query`, or `NAME` and `NAME:…` of
somebody else's. What it names is called as `NAME.open_for(settings, owner)`.
"""

from __future__ import annotations

import re
from importlib.metadata import entry_points
from typing import Protocol

from headwater.errors import BadParameter
from headwater.settings import Settings
from headwater.store.protocol import TripleStore

GROUP = "headwater.stores"


class Kind(Protocol):
    """What an entry point of the group gives."""

    def open_for(self, settings: Settings, owner: str) -> TripleStore:
        """The store that the settings name, for the ledger whose id is `owner`."""
        ...


def open_store(settings: Settings, owner: str) -> TripleStore:
    """Open the store that the settings name.

    >>> store = open_store(Settings(store="memory"), "a ledger's id")
    >>> store.sequence()
    0
    >>> open_store(Settings(store="abacus"), "")
    Traceback (most recent call last):
    ...
    headwater.errors.BadParameter: store: there is no kind of triplestore 'abacus'; there are: embedded, memory, sparql
    """
    found = re.match(r"[A-Za-z0-9._-]*", settings.store)
    name = found.group() if found is not None else ""
    known = {entry.name: entry for entry in entry_points(group=GROUP)}
    entry = known.get("embedded" if name == "memory" else name)
    if entry is None:
        kinds = ", ".join(sorted({*known, "memory"}))
        raise BadParameter(f"store: there is no kind of triplestore '{name}'; there are: {kinds}", parameter="store")
    kind: Kind = entry.load()
    return kind.open_for(settings, owner)
