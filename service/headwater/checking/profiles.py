"""Profiles: is an object complete enough for a purpose, such as training a model again or publishing a data set?

The gate refuses what is wrong; a profile says what is missing, and never stands in the way of a write. Each profile is a file of
`shapes/profiles/`: its shapes are requirements on one object, judged over the statements about it and about what the profile
follows from there, as far as the reader may see them.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, parse

from headwater import assets
from headwater.checking.check_digits import FAILS, wrong
from headwater.checking.places import LOOKED_UP, OBSERVED, Look, Place, addresses
from headwater.checking.places import statements as seen
from headwater.checking.plan import BadShapes, ShapePlan, mentioned, plans
from headwater.checking.profile_report import Gap, ProfileReport, Requirement
from headwater.checking.report import SHAPES
from headwater.checking.sieve import TYPE, Facts
from headwater.errors import BadParameter
from headwater.terms.names import DCTERMS, FOAF, RDFS, SCHEMA, SH, SKOS

if TYPE_CHECKING:
    from headwater.checking.judge import Judge
    from headwater.checking.verdict import Verdict

About = Callable[[str], Iterable[Triple]]
"""Asked for an IRI, answers the statements of which it is the subject."""

_PROFILE = NamedNode(SHAPES + "Profile")
_FOLLOWS = NamedNode(SHAPES + "follows")
_LOST_NEXT = NamedNode(SHAPES + "lost-next")
_LABELS = (RDFS.label, SKOS.prefLabel, DCTERMS["title"], SCHEMA.name, FOAF.name)
_WEIGHT = {"violation": 0, "warning": 1, "info": 2}
_STEPS = 4
"""How far from the object a profile looks; its longest path has three steps."""
_MOST_THINGS = 20_000
"""Things looked at around one object; a search over 10,000 trials stays within it."""


class Profile:
    """The requirements of one file of `shapes/profiles/`. Thread-safe; pyshacl is loaded at the first question that needs it.

    `name` is what it is called on the command line; `titles` and `abouts` say by language what it is and what it judges.
    Raises `BadShapes` for a file that does not parse or that is no profile.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        try:
            self._shapes = [quad.triple for quad in parse(path.read_bytes(), format=RdfFormat.TURTLE, rename_blank_nodes=True)]
        except SyntaxError as error:
            raise BadShapes(f"{path.name}: {error}") from error
        said: dict[tuple[str, str], list[NamedNode | Literal]] = defaultdict(list)
        for triple in self._shapes:
            if isinstance(triple.subject, NamedNode) and isinstance(triple.object, NamedNode | Literal):
                said[triple.subject.value, triple.predicate.value].append(triple.object)
        heads = [subject for (subject, predicate), types in said.items() if predicate == TYPE and _PROFILE in types]
        if len(heads) != 1:
            raise BadShapes(f"{path.name} describes {len(heads)} profiles; each file holds one hws:Profile.")
        self.titles = _by_language(said[heads[0], RDFS.label.value])
        self.abouts = _by_language(said[heads[0], RDFS.comment.value])
        self._follows = frozenset(value.value for value in said[heads[0], _FOLLOWS.value])
        self._plans: dict[str, ShapePlan] = {plan.iri: plan for plan in plans(self._shapes)}
        for plan in self._plans.values():
            if plan.closed:
                raise BadShapes(f"{plan.iri} is closed; a profile asks what is there, not what is there besides.")
        self.requirements = tuple(
            sorted((_requirement(plan, said) for plan in self._plans.values()), key=lambda one: (one.order, one.shape))
        )
        self.classes = frozenset(cls for plan in self._plans.values() for cls in plan.classes)
        self._mentioned = mentioned(self._shapes) | self._follows | {name.value for name in _LABELS}
        self._lock = threading.Lock()
        self._judge: Judge | None = None

    def asks(self, requirement: Requirement) -> tuple[str, ...]:
        """The classes of things of which a requirement is asked."""
        return self._plans[requirement.shape].classes

    def concerns(self, types: Iterable[str]) -> bool:
        """Whether a thing of these classes is judged by this profile."""
        return not self.classes.isdisjoint(types)

    @property
    def looks(self) -> bool:
        """Whether it asks anything that only somebody who goes and looks can say."""
        return LOOKED_UP.value in self._mentioned

    def judge(self, focus: str, about: About, look: Look | None = None) -> ProfileReport | None:
        """Judge one object; None where the profile asks nothing of its kind. `look` goes to the places that are stated.

        >>> from headwater.terms.names import RDF
        >>> model, kind = NamedNode("urn:m"), NamedNode("https://w3id.org/headwater/terms#Model")
        >>> said = {"urn:m": [Triple(model, RDF.type, kind)]}
        >>> report = profile("retrain-ready").judge("urn:m", lambda iri: said.get(iri, []))
        >>> report.score, report.missing[0].requirement.name()
        (0.0, 'the training run')
        """
        statements, complete = self._around(focus, about)
        facts = _facts(statements)
        asked = self._asked(focus, facts)
        if not asked:
            return None
        places: tuple[Place, ...] | None = None
        if look is not None:
            places = _seen(statements, facts, look)
            statements += seen(focus, places)
            facts = _facts(statements)
            asked = self._asked(focus, facts)
        open_questions = [one for one in asked if self._plans[one.shape].unsure([focus], facts)]
        found = self._failures(focus, statements, open_questions)
        gaps = [_gap(one, found[one.shape], facts) for one in asked if one.shape in found]
        gaps.sort(key=lambda gap: (_WEIGHT[gap.requirement.severity], gap.requirement.order))
        return ProfileReport(
            profile=self.name,
            titles=self.titles,
            focus=focus,
            label=_label(focus, facts),
            met=tuple(one for one in asked if one.shape not in found and not one.lost_next),
            gaps=tuple(gap for gap in gaps if not gap.requirement.lost_next),
            lost_next=tuple(gap for gap in gaps if gap.requirement.lost_next),
            complete=complete,
            places=places,
        )

    def _asked(self, focus: str, facts: Facts) -> list[Requirement]:
        return [one for one in self.requirements if focus in self._plans[one.shape].targets(facts, (focus,))]

    def _around(self, focus: str, about: About) -> tuple[list[Triple], bool]:
        """What is said of the object and of what the profile follows from it; and whether that is all there is."""
        seen, edge = {focus}, [focus]
        found: dict[Triple, None] = {}
        for step in range(_STEPS + 1):
            onwards: list[str] = []
            for iri in edge:
                for triple in about(iri):
                    # A triple term is nothing that a core constraint of SHACL 1.0 can look at.
                    if triple.predicate.value not in self._mentioned or isinstance(triple.object, Triple):
                        continue
                    if triple.predicate in OBSERVED:
                        continue  # a document cannot say what only a look can tell
                    found[triple] = None
                    value = triple.object
                    if isinstance(value, NamedNode) and triple.predicate.value in self._follows and value.value not in seen:
                        seen.add(value.value)
                        onwards.append(value.value)
                        if len(seen) > _MOST_THINGS:
                            return self._with_check_digits(focus, found), False
            edge = onwards if step < _STEPS else []
        return self._with_check_digits(focus, found), True

    def _with_check_digits(self, focus: str, found: dict[Triple, None]) -> list[Triple]:
        if FAILS.value not in self._mentioned:
            return list(found)
        return [*found, *(Triple(NamedNode(focus), FAILS, Literal(identifier)) for identifier in wrong(found))]

    def _failures(self, focus: str, statements: list[Triple], asked: list[Requirement]) -> dict[str, list[Verdict]]:
        if not asked:
            return {}
        with self._lock:
            if self._judge is None:
                # Imported at the first question: pyshacl costs 0.37 s.
                from headwater.checking.judge import Judge

                self._judge = Judge(self._shapes)
            overlay = self._judge.overlay(statements)
            found = {one.shape: self._judge.failures(overlay, one.shape, [focus]) for one in asked}
        return {shape: verdicts for shape, verdicts in found.items() if verdicts}


def _facts(statements: Iterable[Triple]) -> Facts:
    return Facts.of((t.subject.value, t.predicate.value, t.object, t) for t in statements if isinstance(t.subject, NamedNode))


def _seen(statements: Iterable[Triple], facts: Facts, look: Look) -> tuple[Place, ...]:
    wanted = addresses(statements)
    sightings = look(wanted)
    return tuple(Place(one, _label(one.thing, facts), sighting) for one, sighting in zip(wanted, sightings, strict=True))


def _requirement(plan: ShapePlan, said: dict[tuple[str, str], list[NamedNode | Literal]]) -> Requirement:
    order = said[plan.iri, SH.order.value]
    indicator = said[plan.iri, DCTERMS.identifier.value]
    return Requirement(
        shape=plan.iri,
        names=_by_language(said[plan.iri, SH.name.value]),
        severity=plan.severity,
        order=int(order[0].value) if order else 0,
        indicator=indicator[0].value if indicator else None,
        lost_next=_LOST_NEXT in said[plan.iri, SH.group.value],
    )


def _gap(requirement: Requirement, verdicts: list[Verdict], facts: Facts) -> Gap:
    values: dict[NamedNode | BlankNode | Literal, str] = {}
    for verdict in verdicts:
        # A node shape reports the object itself, which the report names already.
        if verdict.value is not None and verdict.value.value != verdict.focus:
            values[verdict.value] = _label(verdict.value.value, facts) if isinstance(verdict.value, NamedNode) else ""
    ordered = sorted(values.items(), key=lambda item: (item[1], item[0].value))
    return Gap(requirement, verdicts[0].component, tuple(ordered))


def _by_language(values: Iterable[NamedNode | Literal]) -> dict[str, str]:
    return {value.language or "en": value.value for value in values if isinstance(value, Literal)}


def _label(node: str, facts: Facts) -> str:
    for predicate in _LABELS:
        texts = sorted(v.value for v in facts.values.get(predicate.value, {}).get(node, ()) if isinstance(v, Literal))
        if texts:
            return texts[0]
    return ""


def profile_names() -> list[str]:
    """The names of all profiles.

    >>> profile_names()
    ['core', 'fair', 'publication', 'retrain-ready']
    """
    return sorted(path.stem for path in _files())


@cache
def profile(name: str) -> Profile:
    """A profile by its name. Raises `BadParameter` with the list for one that there is none of."""
    for path in _files():
        if path.stem == name:
            return Profile(path)
    raise BadParameter(
        f"there is no profile {name[:80]!r}; there are: {', '.join(profile_names())}",
        parameter="profile",
        remedy="Name one of them; docs/reference/profiles.md says what each asks for.",
    )


def _files() -> Iterator[Path]:
    return (assets.folder("shapes") / "profiles").glob("*.ttl")


def subjects_of(statements: Iterable[Triple]) -> About:
    """The statements of a document, ready to be asked about.

    >>> about = subjects_of([Triple(NamedNode("urn:a"), FOAF.name, Literal("A"))])
    >>> len(about("urn:a")), len(about("urn:b"))
    (1, 0)
    """
    by_subject: dict[str, list[Triple]] = defaultdict(list)
    for triple in statements:
        if isinstance(triple.subject, NamedNode):
            by_subject[triple.subject.value].append(triple)
    return lambda iri: by_subject.get(iri, [])
