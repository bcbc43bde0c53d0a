"""What the public data hold, in numbers: statements, things of each class, uses of each property."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from headwater.access.reader import ANONYMOUS
from headwater.app.querying import Querying, Told

_COUNTS: Final = {
    "classes": "SELECT ?x (COUNT(*) AS ?n) { ?s a ?x FILTER(isIRI(?x)) } GROUP BY ?x",
    "properties": "SELECT ?x (COUNT(*) AS ?n) { ?s ?x ?o } GROUP BY ?x",
}
_SHARE: Final = 20
"""Counting again waits twenty times as long as counting took, so that it takes a twentieth of one worker at most."""
_QUICK_S: Final = 0.5
"""What takes no longer than this is counted whenever something was written."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Numbers of the public view at a ledger sequence number: things by class, statements by property."""

    sequence: int
    classes: Mapping[str, int]
    properties: Mapping[str, int]

    @property
    def statements(self) -> int:
        return sum(self.properties.values())


class Counting(Querying):
    """Counts of what everybody may see."""

    @cached_property
    def _counting(self) -> threading.Lock:
        return threading.Lock()

    @cached_property
    def _counted(self) -> list[tuple[Statistics, float, float]]:
        """The last numbers, when they were counted (seconds of `time.monotonic`) and how long that took; empty before."""
        return []

    def statistics(self) -> Statistics:
        """Numbers of the public view, kept until something is written. Large stores that are written all the time are counted
        now and then only: the numbers say by `sequence` what they speak of.

        Raises `QueryTimeout` where counting takes longer than a query may.
        """
        with self._counting:
            for found, at, took in self._counted:
                resting = took > _QUICK_S and time.monotonic() - at < _SHARE * took
                if found.sequence == self._store.sequence() or resting:
                    return found
            begun = time.monotonic()
            counts: dict[str, dict[str, int]] = {}
            for name, text in _COUNTS.items():
                answer = self.stream(text, ANONYMOUS, "application/sparql-results+json")
                sequence = answer.sequence
                rows = json.loads(answer.body if isinstance(answer, Told) else answer.body())["results"]["bindings"]
                # COUNT without a group gives one row for an empty store, without a name.
                counts[name] = {row["x"]["value"]: int(row["n"]["value"]) for row in rows if "x" in row}
            ended = time.monotonic()
            self._counted[:] = [(Statistics(sequence, counts["classes"], counts["properties"]), ended, ended - begun)]
            return self._counted[0][0]
