"""Objects: what is here, all that is known of one, how complete it is, and how it leaves in another format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pyoxigraph import NamedNode

from headwater.access import Reader
from headwater.app.inspecting import Inspector
from headwater.app.opened import Opened
from headwater.app.sight import Sight
from headwater.app.values import Exported, ObjectList
from headwater.checking.places import Look
from headwater.checking.profile_report import ProfileReport
from headwater.errors import BadParameter
from headwater.exporters.registry import exporter
from headwater.questions.description import Description
from headwater.terms.minting import slug
from headwater.terms.vocabulary import vocabulary

_FEW = 20_000
"""Up to so many objects a list is in the order of their labels; beyond, in the order in which they came in."""


class Objects(Opened):
    """What can be asked of single objects and of lists of them."""

    def describe(self, iri: str, reader: Reader) -> Description:
        """All that this reader may know of an object."""
        sight = self._sight(reader)
        return self._describer.describe(iri, sight.lineage, sight.graphs, reader)

    def objects(
        self, reader: Reader, *, kind: str | None = None, q: str | None = None, page: int = 1, per_page: int = 20
    ) -> ObjectList:
        """Objects by kind and by words in their label or identifiers, page by page."""
        if kind is not None and kind not in [known.name for known in vocabulary().kinds]:
            kinds = ", ".join(sorted(known.name for known in vocabulary().kinds))
            raise BadParameter(f"kind: '{kind}' is none of {kinds}", parameter="kind")
        sight = self._sight(reader)
        nodes = sight.lineage.of_kind(kind).tolist()
        if q and q.strip():
            nodes = self._matching(q, nodes, sight)
        if len(nodes) <= _FEW:
            labels = self._names.labels([sight.lineage.iris[node] for node in nodes], sight.graphs)
            nodes.sort(key=lambda node: (labels[sight.lineage.iris[node]].casefold(), sight.lineage.iris[node]))
        start = (page - 1) * per_page
        things = self._names.things(nodes[start : start + per_page], sight.lineage, sight.graphs)
        return ObjectList(len(nodes), page, per_page, things)

    def _matching(self, q: str, nodes: list[int], sight: Sight) -> list[int]:
        words = q.casefold().split()
        allowed = set(nodes)
        found: dict[int, str] = {}
        for row in self._store.rows(self.questions["names-of-things"].text, sight.graphs):
            thing, name = row
            node = sight.lineage.find(thing.value) if isinstance(thing, NamedNode) else None
            if node is not None and node in allowed:
                found[node] = (
                    found.get(node, sight.lineage.iris[node].casefold()) + " " + str(getattr(name, "value", "")).casefold()
                )
        return [node for node, text in found.items() if all(word in text for word in words)]

    def counts(self, reader: Reader) -> dict[str, int]:
        """How many objects of each kind this reader may see."""
        lineage = self._sight(reader).lineage
        counted = {kind.name: len(lineage.of_kind(kind.name)) for kind in vocabulary().kinds}
        return {name: count for name, count in counted.items() if count}

    def landing(self, reader: Reader) -> Callable[[str], str | None]:
        """From an IRI to `kind/key`, the path of its landing page; None for what is no object that this reader may see."""
        lineage = self._sight(reader).lineage
        kinds = {kind.name for kind in vocabulary().kinds}

        def path(iri: str) -> str | None:
            node = lineage.find(iri)
            kind = lineage.kind_name(node) if node is not None else ""
            return self._names.path(iri, kind) if kind in kinds else None

        return path

    def labels(self, iris: Sequence[str], reader: Reader) -> dict[str, str]:
        """What to call things, as far as this reader may know."""
        return self._names.labels(iris, self._sight(reader).graphs)

    def much_linked(self, kind: str, reader: Reader) -> str | None:
        """An object of a kind about which much is known, as an example: the IRI of the one with most links."""
        lineage = self._sight(reader).lineage
        nodes = lineage.of_kind(kind)
        if not len(nodes):
            return None
        edges = lineage.edges()
        links = np.bincount(np.concatenate([lineage.earlier[edges], lineage.later[edges]]), minlength=int(nodes.max()) + 1)
        return lineage.iris[int(nodes[np.argmax(links[nodes])])]

    def profile(self, iri: str, profile: str, reader: Reader, *, look: Look | None = None) -> ProfileReport:
        """How complete an object is for a purpose, such as `retrain-ready`, as far as this reader may see.

        `look` goes to the stated places (`headwater.app.resolving.Resolver` does). Raises `BadParameter` where there is no such
        profile, where it judges no object of this kind, or where it has no use for a look.
        """
        sequence, sight = self.sequence, self._sight(reader)
        thing = self._names.thing(iri, sight.lineage, sight.graphs)
        return self._profiler.judge(thing, profile, sight.graphs, sequence, look)

    def profile_document(
        self,
        path: Path,
        profile: str,
        reader: Reader,
        *,
        format: str = "auto",
        name: str | None = None,
        media_type: str | None = None,
        look: Look | None = None,
    ) -> list[ProfileReport]:
        """The same for every object that a document describes, together with what the reader may see here. Nothing is written."""
        inspector = Inspector(self.settings, mint=self.mint, gate=self._writer.gate)
        inspector.import_source(path, format=format, name=name, media_type=media_type)
        found = inspector.profiled(profile, self._profiler.about(self._sight(reader).graphs), look)
        return [report for reports in found.values() for report in reports]

    def export(self, iri: str, format: str, reader: Reader) -> Exported:
        """An object in one of the formats of the exporter registry."""
        chosen = exporter(format)
        description = self.describe(iri, reader)
        body = chosen.render(description)
        return Exported(body, chosen.media_type, f"{slug(description.thing.label, 60)}.{chosen.extension}")
