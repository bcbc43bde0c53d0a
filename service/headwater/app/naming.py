"""Finding things by whatever people call them by, and calling them by a name that people understand."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import unquote

from pyoxigraph import Literal, NamedNode

from headwater.errors import BadParameter, NotFound
from headwater.lineage.graph import LineageGraph
from headwater.lineage.names import of_one_store
from headwater.questions.description import Thing
from headwater.store.protocol import TripleStore
from headwater.terms.minting import Mint
from headwater.terms.names import DCTERMS, FOAF, HW, OWL, PREFIXES, RDFS, SCHEMA, SKOS

_LABELS = (RDFS.label, SKOS.prefLabel, DCTERMS["title"], SCHEMA.name, FOAF.name)
_IDENTIFYING = (DCTERMS.identifier, HW.digest, SCHEMA.identifier, SKOS.notation)
_SAME = (OWL.sameAs,)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:)?(10\.\d{4,9}/\S+)", re.IGNORECASE)
_HASHED = re.compile(r"~([0-9a-f]{16})")
_MOST_CACHED = 200_000


class Names:
    """Identifiers to IRIs and IRIs to labels, within the graphs that a reader may see.

    `state` is the ledger's sequence number: labels are remembered as long as it stays the same.
    """

    def __init__(self, store: TripleStore, mint: Mint, state: Callable[[], int]) -> None:
        self._store = store
        self._mint = mint
        self._state = state
        self._labels: dict[tuple[NamedNode, ...], dict[str, str]] = {}
        self._labels_at = -1
        self._hashed: dict[str, int] = {}
        self._hashed_iris: Sequence[str] = ()
        self._lock = threading.Lock()

    # --- labels

    def labels(self, iris: Sequence[str], graphs: Sequence[NamedNode]) -> dict[str, str]:
        """A label for each IRI: the English or plain one that comes first in the alphabet, else the tail of the IRI."""
        with self._lock:
            if self._labels_at != self._state():
                self._labels.clear()
                self._labels_at = self._state()
            cache = self._labels.setdefault(tuple(graphs), {})
            if len(cache) > _MOST_CACHED:
                cache.clear()
        for iri in iris:
            if iri not in cache:
                cache[iri] = self._label(iri, graphs)
        return {iri: cache[iri] for iri in iris}

    def _label(self, iri: str, graphs: Sequence[NamedNode]) -> str:
        found: dict[NamedNode, list[tuple[int, str]]] = {}
        for triple in self._store.about(NamedNode(iri), graphs):
            if triple.predicate in _LABELS and isinstance(triple.object, Literal):
                rank = 0 if triple.object.language in (None, "en") else 1
                found.setdefault(triple.predicate, []).append((rank, triple.object.value))
        for predicate in _LABELS:
            if predicate in found:
                return min(found[predicate])[1]
        return tail(iri)

    # --- things

    def path(self, iri: str, kind: str) -> str:
        """`kind/key`: the tail of an IRI minted here, or a hash that stands for somebody else's IRI."""
        own = self._mint.kind_and_key(iri)
        if own is not None:
            return iri.removeprefix(f"{self._mint.base}id/")
        return f"{kind}/~{_hash(iri)}"

    def thing(self, iri: str, graph: LineageGraph, graphs: Sequence[NamedNode]) -> Thing:
        node = graph.find(iri)
        kind = graph.kind_name(node) if node is not None else "entity"
        return Thing(iri, kind, self.labels([iri], graphs)[iri], self.path(iri, kind))

    def things(self, nodes: Iterable[int], graph: LineageGraph, graphs: Sequence[NamedNode]) -> list[Thing]:
        iris = [(graph.iris[node], graph.kind_name(node)) for node in nodes]
        labels = self.labels([iri for iri, _ in iris], graphs)
        return [Thing(iri, kind, labels[iri], self.path(iri, kind)) for iri, kind in iris]

    # --- identifiers

    def resolve(self, identifier: str, graph: LineageGraph, graphs: Sequence[NamedNode]) -> str:
        """The IRI of what `identifier` names: an IRI, `kind/key`, a CURIE, a PID, a digest or an external id.

        Raises `NotFound`, and `BadParameter` where several things share an identifier.
        """
        text = identifier.strip()
        if not text or len(text) > 4000 or any(ord(character) < 32 for character in text):
            raise NotFound("That is no identifier.")
        text = text[1:-1] if text.startswith("<") and text.endswith(">") else text
        for iri in self._candidates(text, graph):
            if self._known(iri, graph, graphs):
                return iri
        found = self._by_identifier(text, graph, graphs)
        if len(found) > 1:
            raise BadParameter(
                f"'{text}' is an identifier of {len(found)} things: {', '.join(sorted(found)[:5])}",
                remedy="Use one of these IRIs.",
                candidates=sorted(found),
            )
        if found:
            return found.pop()
        raise NotFound(f"There is nothing here called '{text}'.")

    def _candidates(self, text: str, graph: LineageGraph) -> Iterable[str]:
        if _ABSOLUTE.fullmatch(text):
            yield text
        kind, slash, key = text.partition("/")
        if slash and kind.isalpha():
            hashed = _HASHED.fullmatch(key)
            if hashed:
                node = self._by_hash(hashed.group(1), graph)
                if node is not None:
                    yield graph.iris[node]
            else:
                yield f"{self._mint.base}id/{kind}/{key}"
                yield self._mint.thing(kind, unquote(key))
        prefix, colon, local = text.partition(":")
        if colon and prefix in PREFIXES and not local.startswith("//"):
            yield PREFIXES[prefix] + local
        doi = _DOI.fullmatch(text)
        if doi:
            # All four have been the recommended form at some time, so all stand in documents as IRIs.
            for place in ("https://doi.org/", "http://dx.doi.org/", "http://doi.org/", "https://dx.doi.org/"):
                yield place + doi.group(1)
                yield place + doi.group(1).lower()

    def _known(self, iri: str, graph: LineageGraph, graphs: Sequence[NamedNode]) -> bool:
        if graph.find(iri) is not None:
            return True
        node = _named(iri)
        if node is None:
            return False
        return any(True for _ in self._store.about(node, graphs)) or any(
            True for _ in self._store.about(node, graphs, as_object=True)
        )

    def _by_identifier(self, text: str, graph: LineageGraph, graphs: Sequence[NamedNode]) -> set[str]:
        spellings = {text, text.lower()} if ":" in text else {text}
        doi = _DOI.fullmatch(text)
        if doi:
            spellings |= {f"doi:{doi.group(1)}", doi.group(1), f"https://doi.org/{doi.group(1)}"}
        found = set()
        for spelling in spellings:
            for triple in self._store.about(Literal(spelling), graphs, as_object=True):
                if triple.predicate in _IDENTIFYING and isinstance(triple.subject, NamedNode):
                    found.add(triple.subject.value)
            node = _named(spelling)
            if node is not None:
                for triple in self._store.about(node, graphs, as_object=True):
                    if triple.predicate in (*_IDENTIFYING, *_SAME) and isinstance(triple.subject, NamedNode):
                        found.add(triple.subject.value)
        described = {iri for iri in found if graph.find(iri) is not None}
        return described or found

    def _by_hash(self, hashed: str, graph: LineageGraph) -> int | None:
        with self._lock:
            # Names are only ever added to the index, so hashing goes on from where it stood; a rebuilt index has another order.
            if not of_one_store(self._hashed_iris, graph.iris):
                self._hashed, self._hashed_iris = {}, ()
            known = len(self._hashed_iris)
            if graph.size > known:
                for node, iri in enumerate(graph.iris[known:], known):
                    self._hashed[_hash(iri)] = node
                self._hashed_iris = graph.iris
            found = self._hashed.get(hashed)
        if found is None or found >= graph.size:
            return None
        return found if graph.present[found] else None


def _named(text: str) -> NamedNode | None:
    """`text` as an IRI, or None where it is none."""
    try:
        return NamedNode(text) if _ABSOLUTE.fullmatch(text) else None
    except ValueError:
        return None


def tail(iri: str) -> str:
    """The readable end of an IRI.

    >>> tail("https://example.org/data/digits-v1"), tail("urn:x"), tail("https://example.org/")
    ('digits-v1', 'urn:x', 'https://example.org/')
    """
    trimmed = iri.rstrip("/#")
    for mark in ("#", "/"):
        end = trimmed.rpartition(mark)[2]
        if end != trimmed and end and "//" + end not in trimmed:
            return unquote(end)
    return iri


def _hash(iri: str) -> str:
    return hashlib.sha256(iri.encode()).hexdigest()[:16]
