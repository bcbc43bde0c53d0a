"""Judging stored objects by profiles, over what the reader may see of them and of what lies around them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

from pyoxigraph import NamedNode

from headwater.checking.profile_report import ProfileReport
from headwater.checking.profiles import About, profile
from headwater.checking.report import lenient_iri
from headwater.errors import BadParameter
from headwater.questions.description import Thing
from headwater.store.protocol import TripleStore
from headwater.terms.vocabulary import vocabulary

_MOST_CACHED = 500
"""Reports kept until the next write: a landing page is asked for more often than the graph changes, and a model takes 60 ms."""


class Profiler:
    """Answers for one store. What the reader may not see is not in the graphs that it reads, and so counts as missing."""

    def __init__(self, store: TripleStore) -> None:
        self._store = store
        self._cache: OrderedDict[tuple[object, ...], ProfileReport] = OrderedDict()
        self._lock = threading.Lock()

    def about(self, graphs: Sequence[NamedNode]) -> About:
        """What is said of a thing in `graphs`."""
        # An IRI that only a lenient parser lets through cannot be in the store, nor asked for.
        return lambda iri: self._store.about(NamedNode(iri), graphs) if lenient_iri(iri).value == iri else ()

    def judge(self, thing: Thing, name: str, graphs: Sequence[NamedNode], sequence: int) -> ProfileReport:
        """The report on a thing as of `sequence`. Raises `BadParameter` where there is no such profile, or none for its kind."""
        key = (sequence, tuple(graphs), thing.iri, name)
        with self._lock:
            known = self._cache.get(key)
        if known is not None:
            return known
        asked = profile(name)
        report = asked.judge(thing.iri, self.about(graphs))
        if report is None:
            kinds = ", ".join(kind.name for kind in vocabulary().kinds if kind.iri in asked.classes)
            raise BadParameter(
                f"the profile '{name}' judges {kinds}; '{thing.label[:80]}' is of the kind {thing.kind}",
                parameter="profile",
                remedy="Ask about an object of one of these kinds, or by another profile.",
            )
        with self._lock:
            self._cache[key] = report
            while len(self._cache) > _MOST_CACHED:
                self._cache.popitem(last=False)
        return report
