"""All that a reader may know of one object, as plain values that pages, cards and exports are made from."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyoxigraph import Triple


@dataclass(frozen=True, slots=True)
class Thing:
    """An object by its name: enough to print it and to link to it.

    `path` is `{kind}/{key}`: the tail of `/id/…`, `/object/…`, `/graph/…` and `/badge/…` on this server, also for objects
    whose IRI is somebody else's.
    """

    iri: str
    kind: str
    label: str
    path: str


@dataclass(frozen=True, slots=True)
class Link:
    """One step up or down from the object. `phrase` reads from the object to `thing` ("was trained with", "trained")."""

    thing: Thing
    relation: str
    phrase: str
    role: str | None
    evidence: str
    record: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A statement about the object that no other field holds. `iri` is set where the value is a resource."""

    predicate: str
    label: str
    value: str
    iri: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric's value, from the run that measured it and, where known, the data set it was measured on."""

    name: str
    value: float
    run: Thing
    on: Thing | None = None
    step: int | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """A hyperparameter's value in a run."""

    name: str
    value: str
    run: Thing


@dataclass(frozen=True, slots=True)
class RecordNote:
    """A record that speaks of the object: where it came from, by which importer, when (ISO 8601) and by whom it was written."""

    iri: str
    title: str
    source: str
    importer: str
    written_at: str
    written_by: str
    visibility: str


@dataclass(slots=True)
class Description:
    """What a reader may know of `thing`. Lists are empty and strings None where nothing is known: nothing is guessed.

    `up` and `down` also name what the run that made the thing used, and what runs made of it, in the role that counts.
    `unlisted` says how many links there are beyond those named (a hub may have a hundred thousand).
    """

    thing: Thing
    visibility: str
    types: list[str] = field(default_factory=list)
    identifiers: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    version: str | None = None
    text: str | None = None
    licence: str | None = None
    issued: str | None = None
    started: str | None = None
    ended: str | None = None
    status: str | None = None
    creators: list[Thing] = field(default_factory=list)
    projects: list[Thing] = field(default_factory=list)
    up: list[Link] = field(default_factory=list)
    down: list[Link] = field(default_factory=list)
    unlisted: int = 0
    earlier: list[Thing] = field(default_factory=list)
    later: list[Thing] = field(default_factory=list)
    concepts: list[Thing] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    records: list[RecordNote] = field(default_factory=list)
    triples: list[Triple] = field(default_factory=list)
