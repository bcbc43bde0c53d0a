"""PROV as its own serialisations say it (activities, entities, uses …), and the same said in PROV-O.

PROV-JSON, PROV-XML and PROV-N are three spellings of one data model (PROV-DM); each reader fills `Bundle`s with `Statement`s, and
`triples_of` writes these as W3C's PROV-O does. Source of the table: PROV-O, section 3.3 "Qualified Terms", and PROV-DM, table 5.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from headwater.importers.documents import encoded, is_absolute
from headwater.records.draft import Finding
from headwater.terms.names import DCTERMS, HW, PROV, RDF, RDFS, XSD
from headwater.terms.vocabulary import vocabulary

Node = NamedNode | BlankNode
Term = NamedNode | BlankNode | Literal

ELEMENTS = {"entity": PROV.Entity, "activity": PROV.Activity, "agent": PROV.Agent}


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation of PROV-DM: its arguments in the order of PROV-N, and how PROV-O says it plainly and in qualified form.

    `subject` and `value` name the two arguments of the plain property; `others` are the properties of the further arguments on
    the qualified node.
    """

    arguments: tuple[str, ...]
    subject: str
    value: str
    plain: NamedNode
    qualified: NamedNode | None = None
    cls: NamedNode | None = None
    through: NamedNode | None = None
    others: tuple[tuple[str, NamedNode], ...] = ()


def _form(arguments: str, plain: str, form: str = "", through: str = "", **others: str) -> Relation:
    names = tuple(arguments.split())
    return Relation(
        names,
        names[0],
        names[1],
        PROV[plain],
        PROV[f"qualified{form}"] if form else None,
        PROV[form] if form else None,
        PROV[through] if through else None,
        tuple((name, PROV[term]) for name, term in others.items()),
    )


RELATIONS: dict[str, Relation] = {
    "used": _form("activity entity time", "used", "Usage", "entity", time="atTime"),
    "wasGeneratedBy": _form("entity activity time", "wasGeneratedBy", "Generation", "activity", time="atTime"),
    "wasInvalidatedBy": _form("entity activity time", "wasInvalidatedBy", "Invalidation", "activity", time="atTime"),
    "wasStartedBy": _form(
        "activity trigger starter time", "wasStartedBy", "Start", "entity", starter="hadActivity", time="atTime",
    ),
    "wasEndedBy": _form("activity trigger ender time", "wasEndedBy", "End", "entity", ender="hadActivity", time="atTime"),
    "wasInformedBy": _form("informed informant", "wasInformedBy", "Communication", "activity"),
    "wasAssociatedWith": _form("activity agent plan", "wasAssociatedWith", "Association", "agent", plan="hadPlan"),
    "wasAttributedTo": _form("entity agent", "wasAttributedTo", "Attribution", "agent"),
    "actedOnBehalfOf": _form("delegate responsible activity", "actedOnBehalfOf", "Delegation", "agent", activity="hadActivity"),
    "wasDerivedFrom": _form(
        "generatedEntity usedEntity activity generation usage", "wasDerivedFrom", "Derivation", "entity",
        activity="hadActivity", generation="hadGeneration", usage="hadUsage",
    ),
    "wasInfluencedBy": _form("influencee influencer", "wasInfluencedBy", "Influence", "influencer"),
    "specializationOf": _form("specificEntity generalEntity", "specializationOf"),
    "alternateOf": _form("alternate1 alternate2", "alternateOf"),
    "hadMember": _form("collection entity", "hadMember"),
    "mentionOf": _form("specificEntity generalEntity bundle", "specializationOf"),
}  # fmt: skip
"""The relations by their name in PROV-N, which is also their key in PROV-JSON and their element in PROV-XML."""

_SPECIAL_DERIVATIONS = {
    PROV.Revision: (PROV.wasRevisionOf, PROV.qualifiedRevision),
    PROV.Quotation: (PROV.wasQuotedFrom, PROV.qualifiedQuotation),
    PROV.PrimarySource: (PROV.hadPrimarySource, PROV.qualifiedPrimarySource),
}
_DIGEST_WORDS = {"sha1": 40, "sha256": 64, "sha512": 128, "md5": 32}
_DIGEST_IRI = re.compile(r"(?:urn:hash::|ni:///|nih:)(sha-?\d+|md5)[:;]([0-9a-fA-F]{32,128})")
_HEX = re.compile(r"[0-9a-fA-F]+")


@dataclass(slots=True)
class Statement:
    """One statement of PROV-DM. `formal` holds its arguments by name, `attributes` all else that it says."""

    kind: str
    id: Node | None
    formal: dict[str, list[Term]] = field(default_factory=dict)
    attributes: list[tuple[NamedNode, Term]] = field(default_factory=list)


@dataclass(slots=True)
class Bundle:
    """A document (`iri` is None) or a named bundle in one, with what it says and what was mended on the way."""

    iri: str | None
    statements: list[Statement] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


class Names:
    """Turns qualified names into IRIs, and mends those that stand on a prefix which is no IRI or was never declared.

    Such names, and names without any prefix, mean something within their document only, so they become names under the record.

    >>> names = Names({"ex": "https://lab.example/", "context": "context"}, "https://data.example/record/prov-1", "a.json")
    >>> names.iri("ex:Original requirements.txt").value
    'https://lab.example/Original%20requirements.txt'
    >>> names.iri("context:training").value, names.findings[0].reason
    ('https://data.example/record/prov-1#context:training', 'prefix')
    """

    def __init__(self, prefixes: dict[str, str], record: str, where: str, default: str | None = None) -> None:
        # XML names XML Schema without the '#' that its terms have in RDF.
        mended = {prefix: str(XSD) if uri == str(XSD)[:-1] else uri for prefix, uri in prefixes.items()}
        self.prefixes = {"prov": str(PROV), "xsd": str(XSD), "rdf": str(RDF), "rdfs": str(RDFS), **mended}
        self.default = default
        self.record = record
        self.where = where
        self._met: dict[str, Finding] = {}
        self._blanks: dict[str, BlankNode] = {}

    @property
    def findings(self) -> list[Finding]:
        return list(self._met.values())

    def within(self, prefixes: dict[str, str], default: str | None) -> Names:
        """The names of a bundle: the document's, with the bundle's own declarations before them and blank nodes of its own."""
        return Names({**self.prefixes, **prefixes}, self.record, self.where, default or self.default)

    def node(self, name: str) -> Node:
        """The node of an identifier, blank ones (`_:id1`) included."""
        if name.startswith("_:"):
            return self._blanks.setdefault(name, BlankNode())
        return self.iri(name)

    def iri(self, name: str) -> NamedNode:
        """The IRI of a qualified name."""
        prefix, colon, local = name.partition(":")
        if colon and prefix in self.prefixes:
            whole = encoded(self.prefixes[prefix] + local)
            if is_absolute(self.prefixes[prefix]):
                return NamedNode(whole)
            self._found("prefix", prefix, f"the prefix {prefix!r} stands for {self.prefixes[prefix]!r}, which is no IRI")
        elif (
            colon
            and is_absolute(encoded(name))
            and (local.startswith("//") or prefix in ("urn", "doi", "mailto", "tag", "info", "swh"))
        ):
            return NamedNode(encoded(name))
        elif colon:
            self._found("prefix", prefix, f"the prefix {prefix!r} is declared nowhere")
        elif self.default is not None and is_absolute(self.default):
            return NamedNode(encoded(self.default + name))
        return NamedNode(f"{self.record}#{encoded(name).replace('#', '%23')}")

    def known(self, name: str) -> bool:
        """Whether the text reads as a qualified name with a declared prefix."""
        prefix, colon, local = name.partition(":")
        return bool(colon and local) and prefix in self.prefixes and " " not in name and is_absolute(self.prefixes[prefix])

    def _found(self, reason: str, key: str, what: str) -> None:
        self._met.setdefault(key, Finding("repaired", reason, f"{what}; such names were taken as the document's own", self.where))


def is_relation_argument(kind: str, name: str) -> bool:
    """Whether `prov:{name}` is an argument of the statement rather than a further attribute.

    >>> is_relation_argument("used", "entity"), is_relation_argument("used", "role")
    (True, False)
    """
    if kind == "activity":
        return name in ("startTime", "endTime")
    return kind in RELATIONS and name in RELATIONS[kind].arguments


def moment(text: str) -> Literal:
    """A time as PROV writes it; the normaliser mends what is not quite `xsd:dateTime`."""
    return Literal(text, datatype=XSD.dateTime)


def triples_of(statements: Iterable[Statement]) -> list[Triple]:
    """The statements in PROV-O: plain properties, and the qualified form where a statement says more than its two ends.

    >>> run, data = NamedNode("urn:run"), NamedNode("urn:data")
    >>> [str(triple.predicate) for triple in triples_of([Statement("used", None, {"activity": [run], "entity": [data]})])]
    ['<http://www.w3.org/ns/prov#used>']
    """
    statements = list(statements)
    writing = _Writing([s for s in statements if s.kind == "activity"])
    for statement in statements:
        writing.take(statement)
    return list(dict.fromkeys(writing.triples))


class _Writing:
    def __init__(self, activities: list[Statement]) -> None:
        self.activities = {statement.id for statement in activities}
        self.timed = {(statement.id, name) for statement in activities for name in statement.formal}
        self.triples: list[Triple] = []
        self.roles = {role.name for role in vocabulary().roles if role.stated}

    def say(self, subject: Node, predicate: NamedNode, value: Term) -> None:
        self.triples.append(Triple(subject, predicate, value))

    def take(self, statement: Statement) -> None:
        if statement.kind in ELEMENTS:
            self._element(statement)
        else:
            self._relation(statement)

    def _element(self, statement: Statement) -> None:
        node = statement.id
        if node is None:
            return
        self.say(node, RDF.type, ELEMENTS[statement.kind])
        for name, predicate in (("startTime", PROV.startedAtTime), ("endTime", PROV.endedAtTime)):
            for value in statement.formal.get(name, []):
                self.say(node, predicate, value)
        if isinstance(node, NamedNode) and (content := _DIGEST_IRI.match(node.value)):
            self.say(node, HW.digest, Literal(f"{content[1].replace('-', '').lower()}:{content[2].lower()}"))
        self._attributes(node, statement.attributes)

    def _relation(self, statement: Statement) -> None:
        form = RELATIONS[statement.kind]
        subjects = [node for node in statement.formal.get(form.subject, []) if not isinstance(node, Literal)]
        values = statement.formal.get(form.value, [])
        plain, qualified, cls = form.plain, form.qualified, form.cls
        if statement.kind == "wasDerivedFrom":
            for _, special in statement.attributes:
                if isinstance(special, NamedNode) and special in _SPECIAL_DERIVATIONS:
                    (plain, qualified), cls = _SPECIAL_DERIVATIONS[special], special
        for subject in subjects:
            through = form.through
            for value in values:
                if statement.kind in ("wasStartedBy", "wasEndedBy") and value in self.activities:
                    # PROV-DM wants an entity as trigger; tools name the activity that started another. That is a communication.
                    self.say(subject, PROV.wasInformedBy, value)
                    through = PROV.hadActivity
                else:
                    self.say(subject, plain, value)
            self._consequences(statement, subject)
            if qualified is not None and cls is not None and self._says_more(statement, form):
                self._qualify(statement, form, subject, qualified, cls, through)
            elif statement.attributes and statement.id is None and values and not isinstance(values[0], Literal):
                self._attributes(subject, [(p, v) for p, v in statement.attributes if p != PROV.type])

    def _says_more(self, statement: Statement, form: Relation) -> bool:
        return bool(
            statement.attributes
            or isinstance(statement.id, NamedNode)
            or any(statement.formal.get(name) for name, _ in form.others)
        )

    def _consequences(self, statement: Statement, subject: Node) -> None:
        """What PROV-O has a shorter property for, or PROV-CONSTRAINTS concludes (inferences 5 and 11)."""
        for argument in ("starter", "ender"):
            for other in statement.formal.get(argument, []):
                if argument == "starter" and other != subject:
                    self.say(subject, PROV.wasInformedBy, other)
        shorter = {
            "wasGeneratedBy": PROV.generatedAtTime,
            "wasInvalidatedBy": PROV.invalidatedAtTime,
            "wasStartedBy": PROV.startedAtTime,
            "wasEndedBy": PROV.endedAtTime,
        }.get(statement.kind)
        if shorter is not None:
            said = {"wasStartedBy": "startTime", "wasEndedBy": "endTime"}.get(statement.kind, "")
            if (subject, said) not in self.timed:
                for time in statement.formal.get("time", []):
                    self.say(subject, shorter, time)
        if statement.kind == "mentionOf":
            for bundle in statement.formal.get("bundle", []):
                self.say(subject, PROV.asInBundle, bundle)

    def _qualify(
        self, statement: Statement, form: Relation, subject: Node, qualified: NamedNode, cls: NamedNode, through: NamedNode | None
    ) -> None:
        # One node for each end: a shape refuses a qualified node that names two.
        values: list[Term | None] = [*statement.formal.get(form.value, [])] or [None]
        for value in values:
            named = isinstance(statement.id, NamedNode) and len(values) == 1
            node = statement.id if named and statement.id is not None else BlankNode()
            self.say(subject, qualified, node)
            self.say(node, RDF.type, cls)
            if value is not None and through is not None:
                self.say(node, through, value)
            for name, predicate in form.others:
                for other in statement.formal.get(name, []):
                    self.say(node, predicate, other)
            self._attributes(node, [(p, v) for p, v in statement.attributes if v != cls])

    def _attributes(self, node: Node, attributes: Iterable[tuple[NamedNode, Term]]) -> None:
        for predicate, value in attributes:
            if predicate == PROV.type:
                if isinstance(value, NamedNode):
                    self.say(node, RDF.type, value)
                else:
                    self.say(node, DCTERMS.type, value)
            elif predicate == PROV.label:
                self.say(node, RDFS.label, value)
            elif predicate == PROV.role:
                self._role(node, value)
            elif predicate == PROV.location:
                if isinstance(value, Literal):
                    self.say(node, HW.location, Literal(value.value))
                else:
                    self.say(node, PROV.atLocation, value)
            else:
                self.say(node, predicate, value)
                self._digest(node, predicate, value)

    def _role(self, node: Node, value: Term) -> None:
        if isinstance(value, Literal):
            if value.value in self.roles:
                self.say(node, PROV.hadRole, HW[value.value])
            else:
                self.say(node, RDFS.label, value)
        else:
            self.say(node, PROV.hadRole, value)

    def _digest(self, node: Node, predicate: NamedNode, value: Term) -> None:
        word = re.split(r"[/#:]", predicate.value)[-1].lower().replace("-", "")
        if isinstance(value, Literal) and len(value.value) == _DIGEST_WORDS.get(word) and _HEX.fullmatch(value.value):
            self.say(node, HW.digest, Literal(f"{word}:{value.value.lower()}"))
