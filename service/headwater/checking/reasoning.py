"""Asking a full OWL reasoner (HermiT) whether statements contradict each other, and why; for tests and notebooks, not the server.

    from headwater.checking import reasoning
    world = reasoning.world(headwater, project="mlflow-experiment:4711")     # an owlready2 world with the ontology in it
    reasoning.consistent([triples]).unsatisfiable                            # classes that nothing can belong to
    reasoning.explain(triples)                                               # the few statements that contradict each other

Needs the extra `reasoning` (owlready2, which brings HermiT) and a Java runtime. HermiT reads OWL 2 only, so what it could not
read is left out or simplified first: see `readable`. Its state is partly global: one call at a time.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import shutil
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, parse, serialize

from headwater.errors import BadInput, Unavailable
from headwater.terms.names import OWL, RDF, XSD
from headwater.terms.vocabulary import ontology_files

_INSTALL = "Install it with: pip install 'headwater[reasoning]'"
_JAVA = "Install a Java runtime (on Debian: apt-get install default-jre-headless) and see that `java` is on the path."
_DATATYPES = frozenset(
    [
        XSD[name].value
        for name in (
            "string",
            "normalizedString",
            "token",
            "language",
            "Name",
            "NCName",
            "NMTOKEN",
            "boolean",
            "hexBinary",
            "base64Binary",
            "anyURI",
            "dateTime",
            "dateTimeStamp",
            "decimal",
            "integer",
            "double",
            "float",
            "nonNegativeInteger",
            "nonPositiveInteger",
            "positiveInteger",
            "negativeInteger",
            "long",
            "int",
            "short",
            "byte",
            "unsignedLong",
            "unsignedInt",
            "unsignedShort",
            "unsignedByte",
        )
    ]
    + [RDF.langString.value, RDF.PlainLiteral.value, RDF.XMLLiteral.value]
)
"""OWL 2 Structural Specification, section 4. HermiT ends with an error at any other."""
_SKOLEM = "/.well-known/genid/"
"""In the IRI of what had no name in its source (RDF 1.1, section 3.5)."""
_ABOUT_AXIOMS = frozenset({OWL.Axiom, OWL.Annotation})
_TWO_WAYS = (OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty)
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What HermiT found: whether all statements can be true together, and the named classes that can have no member."""

    consistent: bool
    unsatisfiable: tuple[str, ...]
    seconds: float

    @property
    def sound(self) -> bool:
        """Consistent, and every class can have a member."""
        return self.consistent and not self.unsatisfiable


class Source(Protocol):
    """What `world` asks of an open Headwater."""

    def reader(self, token: str | None, *, loopback: bool) -> Any: ...
    def resolve(self, identifier: str, reader: Any) -> str: ...
    def export(self, iri: str, format: str, reader: Any) -> Any: ...
    def ask(self, name: str, params: Any, reader: Any, media_type: str | None = None) -> tuple[bytes, str]: ...
    def lineage(self, id: str, reader: Any, **given: Any) -> dict[str, Any]: ...


def available() -> str | None:
    """None where reasoning can be done here; otherwise a sentence that says what is missing.

    >>> missing = available()
    >>> missing is None or "owlready2" in missing or "Java" in missing
    True
    """
    try:
        importlib.import_module("owlready2")
    except ImportError:
        return "the package owlready2 is not installed"
    return None if shutil.which("java") else "there is no Java runtime on the path"


def ontology() -> list[Triple]:
    """The statements of `ontology/`.

    >>> from headwater.terms.names import PROV, RDFS
    >>> Triple(PROV.Person, RDFS.subClassOf, PROV.Agent) in ontology()
    True
    """
    return [quad.triple for quad in ontology_files().graph]


def readable(triples: Iterable[Triple]) -> list[Triple]:
    """The statements in a form that HermiT can read, each once.

    Imports and ontology headers are left out (HermiT would fetch the one and see a second ontology in the other), and so are
    annotations of axioms. A datatype outside OWL 2 counts as text. A property that is declared in two ways keeps the first of
    object, datatype and annotation property.

    >>> from headwater.terms.names import HW
    >>> day = Literal("2025-10-01", datatype=XSD.date)
    >>> [triple.object.datatype.value for triple in readable([Triple(NamedNode("urn:x"), HW.version, day)])]
    ['http://www.w3.org/2001/XMLSchema#string']
    """
    found = dict.fromkeys(triples)
    dropped = {t.subject for t in found if t.predicate == RDF.type and (t.object == OWL.Ontology or t.object in _ABOUT_AXIOMS)}
    declared: dict[object, set[object]] = {}
    for triple in found:
        if triple.predicate == RDF.type and triple.object in _TWO_WAYS:
            declared.setdefault(triple.subject, set()).add(triple.object)
    kept = []
    for triple in found:
        if triple.subject in dropped or triple.predicate == OWL.imports:
            continue
        if triple.predicate == RDF.type and triple.object in _TWO_WAYS:
            first = next(kind for kind in _TWO_WAYS if kind in declared[triple.subject])
            if triple.object != first:
                continue
        kept.append(Triple(_as_owl(triple.subject), triple.predicate, _as_owl(triple.object)))
    return list(dict.fromkeys(kept))


def _as_owl(node: Any) -> Any:
    if isinstance(node, Literal) and node.language is None and node.datatype.value not in _DATATYPES:
        return Literal(node.value)
    if isinstance(node, NamedNode) and node.value.startswith(XSD) and node.value not in _DATATYPES:
        return XSD.string
    return node


def consistent(graphs: Iterable[Iterable[Triple]]) -> Outcome:
    """Whether the graphs contradict each other, taken together and as they stand: add `ontology()` where it is meant.

    Raises `Unavailable` where owlready2 or Java is missing, and `BadInput` where HermiT cannot read the statements.
    """
    return _reasoned(_loaded(triple for graph in graphs for triple in graph))


def classify(world: Any) -> Outcome:
    """Have HermiT work out all classes in an owlready2 world (see `world`); what it concludes stands in the world afterwards.

    Raises `Unavailable` and `BadInput` as `consistent` does.
    """
    return _reasoned(world)


def explain(
    triples: Sequence[Triple], given: Iterable[Triple] | None = None, contradicts: Callable[[list[Triple]], bool] | None = None
) -> list[Triple]:
    """A smallest part of `triples` that already contradicts `given` (as a rule the ontology); empty where nothing does.

    Found by bisection (QuickXplain, Junker 2004): with k statements to blame among n it asks about 2k·log2(n/k) times, a second
    or two each. No statement of the answer can be left out; there may be other such sets. `contradicts` answers instead of
    HermiT, for rules of one's own.

    >>> odd = [Triple(NamedNode(f"urn:{n}"), RDF.type, OWL.Thing) for n in range(8)]
    >>> explain(odd, [], lambda kept: odd[2] in kept and odd[5] in kept) == [odd[2], odd[5]]
    True
    """
    background = list(ontology() if given is None else given)
    asked = contradicts or (lambda kept: not consistent([kept]).consistent)

    def blame(kept: list[Triple], fresh: bool, among: list[Triple]) -> list[Triple]:
        if fresh and asked(kept):
            return []
        if len(among) == 1:
            return among
        half = len(among) // 2
        left, right = among[:half], among[half:]
        of_right = blame(kept + left, bool(left), right)
        of_left = blame(kept + of_right, bool(of_right), left)
        return of_left + of_right

    candidates = list(dict.fromkeys(triples))
    if not candidates or not asked(background + candidates):
        return []
    if asked(background):
        raise BadInput("what is given contradicts itself, before any of the statements is added")
    return blame(background, False, candidates)


def world(headwater: Source, iris: Iterable[str] = (), *, project: str | None = None, token: str | None = None) -> Any:
    """An owlready2 world with the ontology and the statements about things of an open Headwater.

    `iris` are identifiers of things; `project` adds a project's runs and all that they used and made. The parts of a thing come
    with it: usages with their roles, settings, measures. Without `token` the reader is whoever sits at this machine; what the
    reader may not see is not in the world. Nothing is concluded yet: see `classify`.

    Raises `NotFound` for an unknown identifier, and `Unavailable` where owlready2 is missing.
    """
    reader = headwater.reader(token, loopback=token is None)
    wanted = dict.fromkeys(headwater.resolve(identifier, reader) for identifier in iris)
    if project is not None:
        wanted |= dict.fromkeys(_members(headwater, headwater.resolve(project, reader), reader))
    return _loaded([*ontology(), *_statements(headwater, wanted, reader)])


def _members(headwater: Source, project: str, reader: Any) -> Iterator[str]:
    body, _ = headwater.ask("runs-of-a-project", {"project": project}, reader, "application/sparql-results+json")
    yield project
    for row in json.loads(body)["results"]["bindings"]:
        yield from headwater.lineage(row["run"]["value"], reader, direction="both", depth=1)["nodes"]


def _statements(headwater: Source, iris: Iterable[str], reader: Any) -> Iterator[Triple]:
    """What is said about things and about their parts: a usage with its role, a setting, a measure, a slice."""
    wanted = dict.fromkeys(iris)
    todo = list(wanted)
    while todo:
        iri = todo.pop()
        body = headwater.export(iri, "ntriples", reader).body
        for quad in parse(body, format=RdfFormat.N_TRIPLES):
            yield quad.triple
            part = quad.object.value if isinstance(quad.object, NamedNode) else ""
            if (part.startswith(f"{iri}#") or _SKOLEM in part) and part not in wanted:
                wanted[part] = None
                todo.append(part)


def _owlready() -> Any:
    try:
        return importlib.import_module("owlready2")
    except ImportError as error:
        raise Unavailable("reasoning needs the package owlready2, which is not installed", remedy=_INSTALL) from error


def _loaded(triples: Iterable[Triple]) -> Any:
    owlready = _owlready()
    body = serialize(readable(_named_apart(triples)), format=RdfFormat.N_TRIPLES)
    made = owlready.World()
    # owlready2 warns, and prints, of cycles and of properties declared twice: common in ontologies of others, harmless here.
    with _ONE_AT_A_TIME, warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        made_in = made.get_ontology("urn:headwater:world#")
        try:
            if body:
                made_in.load(fileobj=io.BytesIO(body))
        except owlready.OwlReadyOntologyParsingError as error:
            raise BadInput(f"owlready2 could not read the statements: {error.__cause__ or error}") from error
    return made


def _named_apart(triples: Iterable[Triple]) -> Iterator[Triple]:
    """The statements with blank-node names that N-Triples readers of every kind accept."""
    names: dict[BlankNode, BlankNode] = {}

    def renamed(node: Any) -> Any:
        return names.setdefault(node, BlankNode(f"b{len(names)}")) if isinstance(node, BlankNode) else node

    for triple in triples:
        yield Triple(renamed(triple.subject), triple.predicate, renamed(triple.object))


def _reasoned(loaded: Any) -> Outcome:
    owlready = _owlready()
    if shutil.which("java") is None:
        raise Unavailable("HermiT needs a Java runtime, and there is none on the path", remedy=_JAVA)
    began = time.perf_counter()
    with _ONE_AT_A_TIME, warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            owlready.sync_reasoner_hermit(loaded, debug=0)
        except owlready.OwlReadyInconsistentOntologyError:
            return Outcome(False, (), time.perf_counter() - began)
        except owlready.OwlReadyJavaError as error:
            said = next((line for line in str(error).splitlines()[1:] if line.strip()), str(error))
            raise BadInput(f"HermiT could not read the statements: {said.strip()[:400]}") from error
        empty = sorted({cls.iri for cls in loaded.inconsistent_classes() if hasattr(cls, "iri")} - {OWL.Nothing.value})
    return Outcome(True, tuple(empty), time.perf_counter() - began)
