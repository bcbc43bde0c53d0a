"""The metadata of a research-object crate as a set of entities, read from its flattened JSON-LD without fetching any context.

RO-Crate (1.0 to 1.3) prescribes the form: one `@graph` of flat entities whose keys are the plain names of schema.org. So keys are
read as they stand; a local context entry only tells the IRI of a name that is not schema.org's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from headwater.errors import UnreadableSource
from headwater.importers.documents import as_list, is_absolute, json_document
from headwater.records.draft import Finding
from headwater.terms.minting import short_hash

NAMES = ("ro-crate-metadata.json", "ro-crate-metadata.jsonld")
"""What the metadata file is called, the present name first."""
_SCHEMA = ("http://schema.org/", "https://schema.org/", "schema:")
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Reference:
    """A value that names another entity."""

    id: str


@dataclass(slots=True)
class Entity:
    """One thing that the crate describes. Values are texts, numbers, truth values, or `Reference`s."""

    id: str
    types: tuple[str, ...]
    values: dict[str, list[Any]] = field(default_factory=dict)

    def all(self, *names: str) -> list[Any]:
        """The values of these properties, in this order."""
        return [value for name in names for value in self.values.get(name, [])]

    def text(self, *names: str) -> str | None:
        """The first value of these properties that is no reference, as text."""
        return next((_text(value) for value in self.all(*names) if not isinstance(value, Reference)), None)

    def references(self, *names: str) -> list[str]:
        """The ids of the entities that these properties point to."""
        return [value.id for value in self.all(*names) if isinstance(value, Reference)]

    def has(self, *types: str) -> bool:
        return any(known in types for known in self.types)


@dataclass(slots=True)
class Crate:
    """The entities of a crate by their id, with the id of the root data set and the IRIs of terms of its own."""

    entities: dict[str, Entity]
    root: str
    terms: dict[str, str]
    findings: list[Finding]

    def of(self, *types: str) -> Iterator[Entity]:
        """The entities that have one of these types, in the order of the document."""
        return (entity for entity in self.entities.values() if entity.has(*types))


def read_metadata(data: bytes, name: str) -> Crate:
    """The crate that a metadata document describes. Raises `UnreadableSource` for what is none.

    >>> read_metadata(b'{"@graph": [{"@id": "./", "@type": "Dataset", "name": "spectra"}]}', "x").entities["./"].text("name")
    'spectra'
    """
    document = json_document(data, name)
    graph = document.get("@graph") if isinstance(document, dict) else document
    if not isinstance(graph, list):
        raise UnreadableSource(f"{name}: has no @graph, so it is no crate's metadata.")
    reading = _Reading(name)
    for node in graph:
        if isinstance(node, dict):
            reading.entity(node, 0)
        else:
            reading.findings.append(Finding("failed", "entity", "an entry of @graph is no object", name))
    root = reading.root()
    if root is None:
        raise UnreadableSource(
            f"{name}: no entity is the crate's root data set.",
            remedy="The entity of the metadata file must point to it by 'about'.",
        )
    context = document.get("@context") if isinstance(document, dict) else None
    return Crate(reading.entities, root, _terms(context), reading.findings)


class _Reading:
    def __init__(self, where: str) -> None:
        self.where = where
        self.entities: dict[str, Entity] = {}
        self.findings: list[Finding] = []

    def entity(self, node: dict[str, Any], depth: int) -> str:
        own = node.get("@id")
        if not isinstance(own, str) or not own:
            own = f"#unnamed-{short_hash(repr(sorted(node.items(), key=lambda item: item[0])))}"
            what = f"an entity without @id ({', '.join(map(str, as_list(node.get('@type')))) or 'of no type'}) was given a name"
            self.findings.append(Finding("repaired", "entity-without-id", what, self.where))
        types = tuple(_bare(str(one)) for one in as_list(node.get("@type")) if isinstance(one, str))
        known = self.entities.get(own)
        if known is None:
            known = self.entities[own] = Entity(own, types)
        else:
            known.types = (*known.types, *(one for one in types if one not in known.types))
        for key, given in node.items():
            if key.startswith("@"):
                continue
            values = [self._value(value, depth) for value in as_list(given)]
            known.values.setdefault(_bare(key), []).extend(value for value in values if value is not None)
        return own

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, dict):
            if "@value" in value:
                return self._value(value["@value"], depth)
            if set(value) == {"@id"} and isinstance(value["@id"], str):
                return Reference(value["@id"])
            if depth >= _DEEPEST:
                self.findings.append(Finding("failed", "nesting", "an object nested too deeply was left out", self.where))
                return None
            return Reference(self.entity(value, depth + 1))
        return None if isinstance(value, list) else value

    def root(self) -> str | None:
        for name in (*NAMES, *(key for key in self.entities if key.endswith(NAMES))):
            descriptor = self.entities.get(name) or self.entities.get(f"./{name}")
            for about in descriptor.references("about") if descriptor else []:
                if about in self.entities:
                    return about
        if "./" in self.entities:
            self.findings.append(
                Finding("missing", "descriptor", "the entity of the metadata file does not name the root", self.where)
            )
            return "./"
        return None


def _terms(context: object) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in as_list(context):
        if isinstance(part, dict):
            for name, meaning in part.items():
                iri = meaning.get("@id") if isinstance(meaning, dict) else meaning
                if isinstance(iri, str) and is_absolute(iri) and not name.startswith("@"):
                    found[name] = iri
    return found


def _bare(name: str) -> str:
    for prefix in _SCHEMA:
        if name.startswith(prefix):
            return name[len(prefix) :]
    return name


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
