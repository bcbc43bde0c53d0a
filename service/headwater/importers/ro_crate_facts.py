"""What a crate says, in Headwater's model: actions become runs, parameters settings, files data sets, people agents."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Final

from pyoxigraph import Literal, NamedNode, Triple

from headwater.importers.documents import encoded, is_absolute
from headwater.importers.energy import of_quantity
from headwater.importers.mlflow_parameters import ROLE_WORDS
from headwater.importers.ro_crate_metadata import Crate, Entity, Reference
from headwater.importers.ro_crate_payload import Digests
from headwater.records.draft import Finding
from headwater.records.facts import Facts, number, part
from headwater.terms.minting import Mint, slug
from headwater.terms.names import DCTERMS, FOAF, HW, PROV, RDF, RDFS, SCHEMA, XSD

ACTIONS: Final = ("CreateAction", "UpdateAction", "ActivateAction", "OrganizeAction", "Action", "AssessAction", "AnalyzeAction")
DATA: Final = ("Dataset", "File", "MediaObject", "Collection", "ImageObject", "DataDownload", "VideoObject", "AudioObject")
_KINDS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("run", ACTIONS),
    ("model", ("MLModel", "fair4ml:MLModel", "https://w3id.org/fair4ml#MLModel", "Model")),
    ("environment", ("ContainerImage", "DockerImage", "SIFImage")),
    ("workflow", ("ComputationalWorkflow", "HowTo")),
    ("software", ("SoftwareApplication", "SoftwareSourceCode", "ComputerLanguage", "WebAPI")),
    ("agent", ("Person", "Organization", "Patient")),
    ("publication", ("ScholarlyArticle", "Article", "Thesis", "Report", "Book", "PublicationIssue")),
    ("instrument", ("IndividualProduct", "Product", "ProductModel")),
    ("project", ("Project", "ResearchProject")),
)
"""Which kind of thing an entity is, by its types; the first that fits."""
_MODEL_FILES: Final = (".onnx", ".safetensors", ".pt", ".pth", ".ckpt", ".keras", ".tflite", ".gguf", ".pmml")
"""Endings of files that are models and nothing else."""
_DETAILS: Final = ("PropertyValue", "FormalParameter", "ParameterConnection", "HowToStep", "ControlAction", "ContactPoint")
"""Entities that are no things of their own: they say something of the entity that points to them."""
_STATUS: Final = {
    "CompletedActionStatus": "finished",
    "FailedActionStatus": "failed",
    "ActiveActionStatus": "running",
    "PotentialActionStatus": "scheduled",
}
_TEXTS: Final = {
    "description": DCTERMS.description,
    "datePublished": DCTERMS.issued,
    "dateCreated": DCTERMS.created,
    "dateModified": DCTERMS.modified,
    "encodingFormat": DCTERMS["format"],
    "contentUrl": HW.location,
    "keywords": SCHEMA.keywords,
    "contentSize": SCHEMA.contentSize,
    "error": SCHEMA.error,
}
_LINKS: Final = {
    "license": DCTERMS.license,
    "author": PROV.wasAttributedTo,
    "creator": PROV.wasAttributedTo,
    "publisher": DCTERMS.publisher,
    "isBasedOn": PROV.wasDerivedFrom,
    "citation": SCHEMA.citation,
    "softwareRequirements": DCTERMS.requires,
    "conformsTo": DCTERMS.conformsTo,
    "affiliation": SCHEMA.affiliation,
    "programmingLanguage": SCHEMA.programmingLanguage,
    "mainEntity": SCHEMA.mainEntity,
    "funder": SCHEMA.funder,
    "about": SCHEMA.about,
    "subjectOf": SCHEMA.subjectOf,
}
_HANDLED: Final = {
    *("name", "alternateName", "identifier", "version", "softwareVersion", "hasPart", "mentions", "url", "exampleOfWork"),
    *("object", "result", "instrument", "agent", "participant", "startTime", "endTime", "actionStatus", "resourceUsage"),
    *("containerImage", "environment", "input", "output", "step", "connection", "sha1", "sha256", "sha512", "md5"),
    *("workExample", "cite-as"),
}
_PERSONAL: Final = {"email", "telephone", "address", "contactPoint", "faxNumber"}
_DOI: Final = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:)(10\.\d{4,9}(?:\.\d+)*/\S+)", re.IGNORECASE)


class CrateWriter:
    """Writes one crate down. `key` names the crate; things without an IRI of their own are named under it."""

    def __init__(self, crate: Crate, key: str, mint: Mint, digests: Digests, where: str) -> None:
        self.crate = crate
        self.key = key
        self.facts = Facts(mint)
        self.digests = digests
        self.where = where
        self.kinds = {entity.id: self._kind(entity) for entity in crate.entities.values()}
        self._nodes: dict[str, NamedNode] = {}
        self._found: Counter[tuple[str, str, str]] = Counter()
        self._role_of = self._roles()

    def triples(self) -> list[Triple]:
        """All statements of the crate."""
        for entity in self.crate.entities.values():
            if entity.id.endswith(("ro-crate-metadata.json", "ro-crate-metadata.jsonld")):
                continue
            if entity.has("ControlAction"):
                self._control(entity)
            elif not entity.has(*_DETAILS):
                self._thing(entity)
        return self.facts.triples

    def findings(self) -> list[Finding]:
        """What was mended, guessed, or not taken over, each sort once with its count."""
        return [
            Finding(outcome, reason, what if count == 1 else f"{what} ({count} times)", self.where)  # type: ignore[arg-type]
            for (outcome, reason, what), count in sorted(self._found.items())
        ]

    # --- what things are and are called

    def _kind(self, entity: Entity) -> str | None:
        kinds = [*entity.types, *entity.references("additionalType"), *map(str, entity.values.get("additionalType", []))]
        for kind, types in _KINDS:
            if any(one.rpartition("/")[2] in types or one.rpartition("#")[2] in types for one in kinds):
                return kind
        if entity.has(*DATA):
            name = entity.text("name", "alternateName") or entity.id
            return "model" if entity.id.lower().endswith(_MODEL_FILES) or name.lower().endswith(_MODEL_FILES) else "dataset"
        return None

    def node(self, id: str) -> NamedNode:
        """The IRI of an entity: its own where it has one, else one under the crate's key."""
        known = self._nodes.get(id)
        if known is None:
            known = self._nodes[id] = NamedNode(self._iri(id))
        return known

    def _iri(self, id: str) -> str:
        whole = encoded(id)
        if is_absolute(whole) and not whole.lower().startswith("file:"):
            return whole
        kind = self.kinds.get(id) or "thing"
        if id == self.crate.root:
            return self.facts.mint.thing(kind, self.key)
        return self.facts.mint.thing(kind, f"{self.key}-{slug(id.removeprefix('./').removeprefix('#'))}")

    def _roles(self) -> dict[str, str]:
        """The role of data in an action, where the name of the parameter it was given for begins or ends with a role's word."""
        found: dict[str, str] = {}
        for entity in self.crate.entities.values():
            names = [
                self.crate.entities[one].text("name") or ""
                for one in entity.references("exampleOfWork")
                if one in self.crate.entities
            ]
            for name in names:
                words = re.split(r"[^a-z0-9]+", name.lower())
                role = ROLE_WORDS.get(words[0]) or ROLE_WORDS.get(words[-1])
                if role is not None:
                    found.setdefault(entity.id, role)
        return found

    # --- things

    def _thing(self, entity: Entity) -> None:
        node, kind = self.node(entity.id), self.kinds[entity.id]
        label = entity.text("name", "alternateName") or (None if kind is None else entity.id)
        if kind == "dataset" and not entity.has("Dataset", "Collection") and not self._in_lineage(entity.id):
            # A read-me or licence text is a file of the crate, no data set that something was learnt from.
            self.facts.say(node, RDF.type, PROV.Entity)
            self.facts.text(node, RDFS.label, label)
        elif kind == "dataset" and not self._in_lineage(entity.id):
            self.facts.say(node, RDF.type, HW.Dataset)
            self.facts.text(node, RDFS.label, label)
        elif kind is not None:
            self.facts.thing(kind, "", label=label, iri=node.value)
            if kind == "model" and entity.has(*DATA) and not entity.has("MLModel", "Model"):
                self._note("repaired", "model-by-name", f"{entity.id} was taken for a model by the ending of its name")
        else:
            self.facts.text(node, RDFS.label, label)
        for one in entity.types:
            iri = self._term(one)
            if iri is not None and kind != "run":
                self.facts.say(node, RDF.type, iri)
        self._identity(entity, node, kind)
        self._statements(entity, node)
        if kind == "run":
            self._run(entity, node)

    def _in_lineage(self, id: str) -> bool:
        return id in self._used_and_made

    @property
    def _used_and_made(self) -> set[str]:
        if not hasattr(self, "_lineage"):
            self._lineage = {one for action in self.crate.of(*ACTIONS) for one in action.references("object", "result")}
        return self._lineage

    def _term(self, name: str) -> NamedNode | None:
        if name in self.crate.terms:
            return NamedNode(self.crate.terms[name])
        if is_absolute(name) and "/" in name:
            return NamedNode(name)
        if name == "File":
            return SCHEMA.MediaObject
        return SCHEMA[name] if re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name) else None

    def _identity(self, entity: Entity, node: NamedNode, kind: str | None) -> None:
        for value in entity.all("identifier", "cite-as"):
            text = value.id if isinstance(value, Reference) else str(value)
            described = self.crate.entities.get(text)
            if described is not None and described.has("PropertyValue"):
                text = described.text("value", "url") or ""
            doi = _DOI.fullmatch(text.strip())
            if text.strip():
                self.facts.identifier(node, f"doi:{doi[1]}" if doi else text.strip())
        if doi := _DOI.fullmatch(entity.id):
            self.facts.identifier(node, f"doi:{doi[1]}")
        if version := entity.text("softwareVersion", "version"):
            self.facts.version(node, version)
        stated = False
        for algorithm, digits in (("sha256", 64), ("sha512", 128), ("sha1", 40), ("md5", 32)):
            value = entity.text(algorithm)
            if value and re.fullmatch(f"[0-9a-fA-F]{{{digits}}}", value):
                self.facts.digest(node, algorithm, value.lower())
                stated = stated or algorithm == "sha256"
            elif value:
                self._note("unmapped", "digest", f"{value[:80]!r} is no {algorithm} digest")
        if kind in ("dataset", "model", "software", "workflow") and not stated and not is_absolute(entity.id):
            computed = self.digests.sha256(entity.id.partition("#")[0]) if not entity.id.startswith("#") else None
            if computed is not None:
                self.facts.digest(node, "sha256", computed)
        if kind == "agent" and (name := entity.text("name")):
            self.facts.text(node, FOAF.name, name)

    def _statements(self, entity: Entity, node: NamedNode) -> None:
        for name, values in entity.values.items():
            if name in _PERSONAL:
                self._note("unmapped", "personal-data", f"{name} is not taken over")
                continue
            if name == "url":
                for value in values:
                    self._link(node, SCHEMA.url, value)
            if name in _HANDLED:
                continue
            if name == "hasPart":
                continue
            predicate = _LINKS.get(name) or _TEXTS.get(name) or self._term(name)
            if predicate is None:
                self._note("unmapped", "property", f"{name} is no property that can be written down")
                continue
            for value in values:
                self._link(node, predicate, value)
        for member in entity.references("hasPart"):
            target = self.crate.entities.get(member)
            if target is not None and self.kinds[member] in ("dataset", "model") and entity.has("Dataset", "Collection"):
                self.facts.say(node, PROV.hadMember, self.node(member))
            else:
                self.facts.say(node, SCHEMA.hasPart, self.node(member))

    def _link(self, node: NamedNode, predicate: NamedNode, value: Any) -> None:
        if not isinstance(value, Reference):
            text = str(value)
            if predicate in (DCTERMS.license, DCTERMS.conformsTo, SCHEMA.url, SCHEMA.citation) and re.match("https?://", text):
                self.facts.say(node, predicate, NamedNode(encoded(text)))
            elif predicate in (PROV.wasAttributedTo, PROV.wasDerivedFrom):
                self.facts.text(node, SCHEMA.creator if predicate == PROV.wasAttributedTo else DCTERMS.source, text)
            elif isinstance(value, bool):
                self.facts.say(node, predicate, Literal(text.lower(), datatype=XSD.boolean))
            elif isinstance(value, int):
                self.facts.say(node, predicate, Literal(text, datatype=XSD.integer))
            else:
                self.facts.say(node, predicate, number(value) if isinstance(value, float) else Literal(text))
            return
        target = self.crate.entities.get(value.id)
        if target is not None and target.has("PropertyValue"):
            self.facts.text(node, predicate, target.text("value"))
        elif target is not None and target.has(*_DETAILS):
            self._note("unmapped", "detail", f"{target.types[0]} as value of {predicate.value.rpartition('/')[2]}")
        elif target is None and not is_absolute(value.id):
            self._note("missing", "entity", f"{value.id} is named but not described")
        else:
            self.facts.say(node, predicate, self.node(value.id))

    # --- runs

    def _run(self, action: Entity, run: NamedNode) -> None:
        for predicate, time in ((PROV.startedAtTime, action.text("startTime")), (PROV.endedAtTime, action.text("endTime"))):
            if time:
                self.facts.say(run, predicate, Literal(time, datatype=XSD.dateTime))
        status = next(iter([*action.references("actionStatus"), action.text("actionStatus") or ""]), "").rpartition("/")[2]
        if status in _STATUS:
            self.facts.status(run, _STATUS[status])  # type: ignore[arg-type]
        for id in action.references("agent", "participant"):
            if self.kinds.get(id) != "software":
                self.facts.say(run, PROV.wasAssociatedWith, self.node(id))
        for id in action.references("instrument"):
            self._instrument(run, id)
        for id in action.references("object"):
            self._input(run, id)
        for id in action.references("result"):
            self._output(run, id)
        for id in action.references("containerImage"):
            self.facts.used(run, self.node(id), role="configure")
        for id in action.references("environment"):
            self._setting(run, id)
        for id in action.references("resourceUsage"):
            self._measure(run, id)
            self._energy(run, id)

    def _instrument(self, run: NamedNode, id: str) -> None:
        kind = self.kinds.get(id)
        node = self.node(id)
        self.facts.used(run, node, role="execute")
        if kind == "workflow":
            association = part(run, "association-" + slug(id))
            self.facts.say(run, PROV.qualifiedAssociation, association)
            self.facts.say(association, RDF.type, PROV.Association)
            self.facts.say(association, PROV.hadPlan, node)
        elif kind is None:
            # What runs and is not typed at all is a script in every crate met.
            self.facts.thing("software", "", iri=node.value)
            self._note(
                "repaired", "instrument-without-type", f"{id} was taken for software, because an action names it as instrument"
            )

    def _input(self, run: NamedNode, id: str) -> None:
        entity = self.crate.entities.get(id)
        if entity is not None and entity.has("PropertyValue"):
            self._setting(run, id)
        elif entity is not None and self.kinds[id] == "run":
            self.facts.say(run, PROV.wasInformedBy, self.node(id))
        elif entity is None or not entity.has(*_DETAILS):
            role = self._role_of.get(id)
            execute = self.kinds.get(id) in ("software", "workflow")
            self.facts.used(run, self.node(id), role="execute" if execute else role, evidence="inferred" if role else None)

    def _output(self, run: NamedNode, id: str) -> None:
        entity = self.crate.entities.get(id)
        if entity is not None and entity.has("PropertyValue"):
            self._measure(run, id)
        elif entity is not None and self.kinds[id] == "run":
            self.facts.say(self.node(id), PROV.wasInformedBy, run)
        elif entity is None or not entity.has(*_DETAILS):
            self.facts.generated(run, self.node(id))

    def _named(self, id: str) -> tuple[str, str] | None:
        """Name and value of a property value; its parameter's name goes before its own."""
        entity = self.crate.entities.get(id)
        if entity is None:
            self._note("missing", "entity", f"{id} is named but not described")
            return None
        parameters = [self.crate.entities[one] for one in entity.references("exampleOfWork") if one in self.crate.entities]
        name = entity.text("name") or next((p.text("name") for p in parameters if p.text("name")), None) or id.removeprefix("#")
        value = entity.text("value")
        if value is None:
            self._note("missing", "value", f"the property {name} has no value")
            return None
        return name, value

    def _setting(self, run: NamedNode, id: str) -> None:
        found = self._named(id)
        if found is not None:
            self.facts.setting(run, *found)

    def _measure(self, run: NamedNode, id: str) -> None:
        found = self._named(id)
        if found is None:
            return
        name, text = found
        try:
            value = float(text)
        except ValueError:
            self.facts.text(run, HW.tag, f"{name}={text}")
            return
        self.facts.measure(run, name, value)

    def _energy(self, run: NamedNode, id: str) -> None:
        """Energy where a use of resources is one, with its unit by text, code or IRI."""
        entity = self.crate.entities.get(id)
        if entity is None:
            return
        unit = next(
            iter([*entity.references("unitCode"), *filter(None, (entity.text("unitCode"), entity.text("unitText")))]), None
        )
        name, value = entity.text("name", "propertyID") or "", entity.text("value")
        try:
            used = of_quantity(name, float(value or "nan"), unit)
        except ValueError:
            return
        if used is not None:
            self.facts.energy(run, used)

    def _control(self, control: Entity) -> None:
        """A Provenance Run Crate says by control actions which step's run belongs to which run of the workflow."""
        steps = [id for id in control.references("instrument") if id in self.crate.entities]
        wholes = [
            whole
            for organising in self.crate.of("OrganizeAction")
            if control.id in organising.references("object")
            for whole in organising.references("result")
        ]
        for id in control.references("object"):
            if self.kinds.get(id) != "run":
                continue
            for whole in wholes:
                self.facts.say(self.node(id), DCTERMS.isPartOf, self.node(whole))
            for step in steps:
                position = self.crate.entities[step].text("position")
                self.facts.text(self.node(id), HW.tag, f"step={position}" if position else f"step={step}")

    def _note(self, outcome: str, reason: str, what: str) -> None:
        self._found[outcome, reason, what] += 1
