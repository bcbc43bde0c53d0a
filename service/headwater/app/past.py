"""What records said at an earlier sequence number of the ledger, for questions about what was known then."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from pyoxigraph import NamedNode, Triple

from headwater.ledger.ledger import Ledger
from headwater.lineage.graph import LineageGraph
from headwater.records.record import RecordMaker

_KEPT = 256


class Past:
    """Reads statements from the ledger's history; a few records are kept parsed."""

    def __init__(self, ledger: Ledger, maker: RecordMaker) -> None:
        self._ledger = ledger
        self._maker = maker
        self._kept: OrderedDict[tuple[str, int], dict[NamedNode, list[Triple]]] = OrderedDict()

    def about(self, node: NamedNode, lineage: LineageGraph, known_at: int) -> Iterator[Triple]:
        """What was said of a thing that takes part in lineage, asserted and entailed, by the records that `lineage` knows then.

        Of a part of a record that is no such thing (a slice, a setting), what the records read so far say.
        """
        number = lineage.find(node.value)
        if number is not None:
            for record in lineage.records_about(number):
                yield from self._said(record, known_at).get(node, ())
            return
        for (_, sequence), said in list(self._kept.items()):
            if sequence == known_at:
                yield from said.get(node, ())

    def _said(self, record: str, known_at: int) -> dict[NamedNode, list[Triple]]:
        key = (record, known_at)
        found = self._kept.get(key)
        if found is None:
            found = {}
            entry = self._ledger.entry_of(record, known_at)
            if entry is not None and entry.revision.act == "write":
                whole = entry.record(self._maker)
                for triple in (*whole.asserted, *whole.entailed):
                    if isinstance(triple.subject, NamedNode):
                        found.setdefault(triple.subject, []).append(triple)
            self._kept[key] = found
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return found
