"""Judging stored objects by profiles, over what the reader may see of them and of what lies around them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

from pyoxigraph import NamedNode

from headwater.checking.places import Look
from headwater.checking.profile_report import ProfileReport
from headwater.checking.profiles import About, Profile, profile, profile_names
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

    def judge(
        self, thing: Thing, name: str, graphs: Sequence[NamedNode], sequence: int, look: Look | None = None
    ) -> ProfileReport:
        """The report on a thing as of `sequence`, after a `look` at its places if one is given.

        Raises `BadParameter` where there is no such profile, none for its kind, or one that has no use for a look.
        """
        if look is not None:
            return self._judged(thing, looking(name), graphs, look)
        key = (sequence, tuple(graphs), thing.iri, name)
        with self._lock:
            known = self._cache.get(key)
        if known is not None:
            return known
        report = self._judged(thing, profile(name), graphs, None)
        with self._lock:
            self._cache[key] = report
            while len(self._cache) > _MOST_CACHED:
                self._cache.popitem(last=False)
        return report

    def _judged(self, thing: Thing, asked: Profile, graphs: Sequence[NamedNode], look: Look | None) -> ProfileReport:
        report = asked.judge(thing.iri, self.about(graphs), look)
        if report is None:
            kinds = ", ".join(kind.name for kind in vocabulary().kinds if kind.iri in asked.classes)
            raise BadParameter(
                f"the profile '{asked.name}' judges {kinds}; '{thing.label[:80]}' is of the kind {thing.kind}",
                parameter="profile",
                remedy="Ask about an object of one of these kinds, or by another profile.",
            )
        return report


def looking(name: str) -> Profile:
    """A profile that asks what only a look at the stated places can say. Raises `BadParameter` for any other."""
    asked = profile(name)
    if not asked.looks:
        able = ", ".join(other for other in profile_names() if profile(other).looks)
        raise BadParameter(f"resolve: the profile '{name}' looks nothing up; {able} does", parameter="resolve")
    return asked
