"""The guarded rules of `ontology/rules.ttl`: conclusions from several statements, read into patterns.

The file's head explains the notation. A rule that begins at an asserted statement is filled in with what it needs of the ontology
(`hw:where`) here, once for each fit; the others look it up while they run, in `background`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal as OneOf

from pyoxigraph import Literal, NamedNode

from headwater.errors import HeadwaterError
from headwater.terms.names import HW, PREFIXES, RDF, RDFS
from headwater.terms.vocabulary import OntologyFiles, ontology_files


class BrokenRule(HeadwaterError):
    """A rule of the ontology that cannot be understood."""

    title = "A rule is broken"
    default_remedy = "Correct the rule in ontology/rules.ttl; the head of the file explains the notation."


@dataclass(frozen=True, slots=True)
class Variable:
    """A place in a pattern that is filled by matching."""

    name: str


@dataclass(frozen=True, slots=True)
class Minted:
    """A node that a conclusion needs and nobody named: the IRI of `of` with `word` as fragment, and a hash of `by` if given."""

    of: Variable
    word: str
    by: Variable | None = None


Among = OneOf["all", "said", "ontology"]
Place = Variable | NamedNode | Literal
Made = Variable | NamedNode | Literal | Minted


@dataclass(frozen=True, slots=True)
class Pattern:
    """A triple with variables. `among` says which statements fit: all, only asserted ones, or those of the ontology."""

    subject: Place
    predicate: NamedNode
    object: Place
    among: Among = "all"


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A triple that a rule concludes."""

    subject: Made
    predicate: NamedNode | Variable
    object: Made


@dataclass(frozen=True, slots=True)
class Rule:
    """Where all patterns of `body` fit, those of `head` follow. `reason` says why, in a sentence."""

    reason: str
    body: tuple[Pattern, ...]
    head: tuple[Conclusion, ...]


@cache
def guarded_rules() -> tuple[Rule, ...]:
    """All rules, with what they take from the ontology filled in.

    >>> any("data that a run used" in rule.reason.lower() for rule in guarded_rules())
    True
    """
    return tuple(read_rules(ontology_files()))


def read_rules(files: OntologyFiles) -> Iterator[Rule]:
    """The rules among these files, in a fixed order. Raises `BrokenRule`."""
    texts = []
    for node in files.subjects(RDF.type, HW.GuardedRule):
        parts = {name: files.value(node, HW[name]) or "" for name in ("where", "whenSaid", "when", "then")}
        texts.append((files.label(node, RDFS.comment), parts))
    for reason, parts in sorted(texts, key=lambda text: (text[0], sorted(text[1].items()))):
        where, said, when = (_triples(parts[name], reason) for name in ("where", "whenSaid", "when"))
        for known in _solutions(where, files) if said else [{}]:
            body = [_pattern(words, known, "said", reason) for words in said]
            body += [_pattern(words, known, "all", reason) for words in when]
            body += [] if said else [_pattern(words, known, "ontology", reason) for words in where]
            head = [_conclusion(words, known, reason) for words in _triples(parts["then"], reason)]
            if not body or not head:
                raise BrokenRule(f"the rule {reason!r} lacks a condition or a conclusion")
            yield Rule(reason, tuple(body), tuple(head))


@cache
def background(predicate: NamedNode) -> dict[NamedNode | Literal, list[NamedNode]]:
    """What the ontology itself states with this predicate, by the object: for `hw:where`.

    >>> [term.value for term in background(HW.measureName)[Literal("acc")]]
    ['http://mex.aksw.org/mex-perf#accuracy']
    """
    found: dict[NamedNode | Literal, list[NamedNode]] = {}
    for subject, value in ontology_files().pairs(predicate):
        found.setdefault(value, []).append(subject)
    return {value: sorted(subjects, key=str) for value, subjects in found.items()}


_Words = tuple[str, str, str]
_Known = Mapping[str, NamedNode | Literal]


def _triples(text: str, reason: str) -> list[_Words]:
    found = []
    for triple in text.split(" . "):
        words = triple.split()
        if not words:
            continue
        if len(words) != 3:
            raise BrokenRule(f"the rule {reason!r}: {triple!r} is no triple")
        found.append((words[0], words[1], words[2]))
    return found


def _solutions(where: list[_Words], files: OntologyFiles) -> list[dict[str, NamedNode | Literal]]:
    """The ways in which the ontology fits the patterns, all of the form `?x predicate ?y`."""
    solutions: list[dict[str, NamedNode | Literal]] = [{}]
    for subject, predicate, value in where:
        pairs = sorted(files.pairs(_term(predicate)), key=str)  # type: ignore[arg-type]
        solutions = [
            {**known, subject: left, value: right}
            for known in solutions
            for left, right in pairs
            if known.get(subject, left) == left and known.get(value, right) == right
        ]
    return solutions


def _term(word: str) -> NamedNode | Literal:
    if word == "a":
        return RDF.type
    prefix, _, local = word.partition(":")
    if prefix not in PREFIXES:
        raise BrokenRule(f"a rule says {word!r}, which is no name with a known prefix")
    return NamedNode(PREFIXES[prefix] + local)


def _place(word: str, known: _Known) -> Place:
    if word.startswith("?"):
        return known[word] if word in known else Variable(word)
    return _term(word)


def _pattern(words: _Words, known: _Known, among: Among, reason: str) -> Pattern:
    predicate = _place(words[1], known)
    if not isinstance(predicate, NamedNode):
        raise BrokenRule(f"the rule {reason!r}: the predicate {words[1]} must be fixed by the ontology")
    return Pattern(_place(words[0], known), predicate, _place(words[2], known), among)


def _conclusion(words: _Words, known: _Known, reason: str) -> Conclusion:
    predicate = _place(words[1], known)
    if isinstance(predicate, Literal):
        raise BrokenRule(f"the rule {reason!r} concludes a triple with a text as predicate")
    return Conclusion(_made(words[0], known), predicate, _made(words[2], known))


def _made(word: str, known: _Known) -> Made:
    of, mark, fragment = word.partition("#")
    if not mark:
        return _place(word, known)
    text, _, by = fragment.partition("-?")
    if fragment.startswith("?"):
        text, by = known[fragment].value.rpartition("#")[2], ""
    return Minted(Variable(of), text, Variable(f"?{by}") if by else None)
