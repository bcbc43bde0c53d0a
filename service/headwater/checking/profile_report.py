"""What a profile says of one object: how much of what it asks for is there, what is missing, and what would be lost next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode

from headwater.checking.messages import message
from headwater.checking.places import Place
from headwater.checking.report import GateReport, GateResult, Severity, quoted

_ABOUT = {"en": "about", "de": "betrifft"}
_MOST_NAMED = 5
"""Things that a sentence names; the dictionary and the SHACL report hold all."""

Value = NamedNode | BlankNode | Literal
_NONE: list[Value | None] = [None]


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that a profile asks for, as its shape says it.

    `names` is what it is called, by language; `indicator` the id of a published indicator that it stands for; `lost_next` says
    that it asks about what is there but may soon be gone, which counts for nothing in the score.
    """

    shape: str
    names: dict[str, str]
    severity: Severity
    order: int
    indicator: str | None = None
    lost_next: bool = False

    @property
    def counts(self) -> bool:
        """Whether it weighs in the score."""
        return self.severity != "info" and not self.lost_next

    def name(self, language: str = "en") -> str:
        return self.names.get(language) or self.names.get("en", self.shape)

    def said(self, language: str = "en") -> str:
        """What is wrong if it is not met, and how to mend it."""
        return message(self.shape, language)

    def as_dict(self, language: str = "en") -> dict[str, Any]:
        return {"shape": self.shape, "name": self.name(language), "indicator": self.indicator, "severity": self.severity}


@dataclass(frozen=True, slots=True)
class Gap:
    """A requirement that is not met. `values` are the things at fault with their labels; empty where something is absent."""

    requirement: Requirement
    component: str
    values: tuple[tuple[Value, str], ...] = ()

    @property
    def things(self) -> list[Value | None]:
        """The things at fault, without their labels."""
        return [value for value, _ in self.values]

    def sentence(self, language: str = "en") -> str:
        """What is missing, how to mend it, and what it is about, on one line."""
        if not self.values:
            return self.requirement.said(language)
        named = [quoted(label or value.value) for value, label in self.values[:_MOST_NAMED]]
        more = [f"+{len(self.values) - _MOST_NAMED}"] if len(self.values) > _MOST_NAMED else []
        return f"{self.requirement.said(language)} ({_ABOUT.get(language, 'about')}: {', '.join([*named, *more])})"

    def as_dict(self, language: str = "en") -> dict[str, Any]:
        about = [{"id": value.value, "label": label or None} for value, label in self.values]
        return {**self.requirement.as_dict(language), "message": self.requirement.said(language), "about": about}


@dataclass(frozen=True, slots=True)
class ProfileReport:
    """A profile's answer about one object.

    `gaps` are the requirements that are not met, `lost_next` what hangs by a thread, both the most urgent first. `complete` is
    False where more lies around the object than was looked at. `places` holds what was seen at the stated addresses; None where
    nobody went to look.

    >>> asked = Requirement("urn:s", {"en": "the data"}, "violation", 1)
    >>> report = ProfileReport("retrain-ready", {"en": "Ready to retrain"}, "urn:m", "svm", (asked,), (), ())
    >>> report.score, report.conforms, report.headline()
    (1.0, True, 'Ready to retrain: 1 of 1')
    """

    profile: str
    titles: dict[str, str]
    focus: str
    label: str
    met: tuple[Requirement, ...]
    gaps: tuple[Gap, ...]
    lost_next: tuple[Gap, ...]
    complete: bool = True
    places: tuple[Place, ...] | None = None

    @property
    def missing(self) -> tuple[Gap, ...]:
        """The gaps that count: first what must be there, then what should."""
        return tuple(gap for gap in self.gaps if gap.requirement.counts)

    @property
    def hints(self) -> tuple[Gap, ...]:
        """The gaps without weight."""
        return tuple(gap for gap in self.gaps if not gap.requirement.counts)

    @property
    def fulfilled(self) -> int:
        """How many requirements that count are met."""
        return sum(requirement.counts for requirement in self.met)

    @property
    def total(self) -> int:
        """How many requirements count for this object."""
        return self.fulfilled + len(self.missing)

    @property
    def score(self) -> float:
        """The share of requirements that are met, 0 to 1; 1 where nothing is asked."""
        return self.fulfilled / self.total if self.total else 1.0

    @property
    def conforms(self) -> bool:
        """Whether all that must be there is there; what only should be may be missing."""
        return all(gap.requirement.severity != "violation" for gap in self.gaps)

    def title(self, language: str = "en") -> str:
        return self.titles.get(language) or self.titles.get("en", self.profile)

    def headline(self, language: str = "en") -> str:
        """The result in a line."""
        return f"{self.title(language)}: {self.fulfilled} {'von' if language == 'de' else 'of'} {self.total}"

    def sentences(self, language: str = "en") -> list[str]:
        """What is missing, the most important first."""
        return [gap.sentence(language) for gap in self.missing]

    def results(self) -> tuple[GateResult, ...]:
        """The gaps and the dangers as findings, one for each thing at fault."""
        return tuple(
            GateResult(
                focus=self.focus,
                path="",
                value=value,
                severity=gap.requirement.severity,
                message=gap.requirement.said(),
                shape=gap.requirement.shape,
                component=gap.component,
                label=self.label,
            )
            for gap in (*self.gaps, *self.lost_next)
            for value in (gap.things or _NONE)
        )

    def turtle(self) -> bytes:
        """The report as `sh:ValidationReport` in Turtle (UTF-8), with the messages in every language."""
        return GateReport(self.conforms, self.results()).turtle()

    def as_dict(self, language: str = "en") -> dict[str, Any]:
        """The report for JSON."""
        return {
            "profile": self.profile,
            "title": self.title(language),
            "focus": self.focus,
            "label": self.label or None,
            "conforms": self.conforms,
            "score": round(self.score, 4),
            "fulfilled": self.fulfilled,
            "total": self.total,
            "met": [requirement.as_dict(language) for requirement in self.met if requirement.counts],
            "missing": [gap.as_dict(language) for gap in self.missing],
            "hints": [gap.as_dict(language) for gap in self.hints],
            "lost_next": [gap.as_dict(language) for gap in self.lost_next],
            "sentences": self.sentences(language),
            "complete": self.complete,
            "places": None if self.places is None else [place.as_dict(language) for place in self.places],
        }
