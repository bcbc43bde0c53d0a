"""What can be asked of the graph over HTTP: one spelling of the traversal parameters for every question."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from headwater.errors import BadParameter
from headwater.lineage.asking import MOST_NODES, read_traversal
from headwater.lineage.slices import read_slice as checked_slice
from headwater.terms.vocabulary import vocabulary

Direction = Literal["upstream", "downstream", "both"]
Evidence = Literal["observed", "declared", "asserted", "inferred", "expanded"]


def _split(value: object) -> object:
    """Repeated parameters and comma-separated ones mean the same; empty ones mean nothing."""
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list):
        return given
    found: list[object] = []
    for one in given:
        found.extend(part.strip() for part in one.split(",") if part.strip()) if isinstance(one, str) else found.append(one)
    return found


def read_depth(value: object) -> object:
    """A depth as people write it. Raises `ValueError` for anything but a number from 0 upwards, or `full`."""
    if value is None or value == "full" or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    if isinstance(value, float) and value.is_integer() and value >= 0:
        # JSON does not tell 2.0 from 2.
        return int(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    raise ValueError("must be a number from 0 upwards, or 'full'")


def read_slice(value: object) -> object:
    """A slice as an object, or as the JSON text of one. Raises `ValueError` for anything else."""
    if value is None or value == "":
        return None
    if not isinstance(value, str | dict):
        raise ValueError("must be a JSON object")
    try:
        return json.loads(checked_slice(value))
    except BadParameter as error:
        raise ValueError(error.detail.removeprefix("slice: ")) from error


def _no_number(value: object) -> object:
    """A switch as JSON has it, or as addresses spell it. Raises `ValueError` for a number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


Several = Annotated[list[str], BeforeValidator(_split)]
Switch = Annotated[bool, BeforeValidator(_no_number)]


class Question(BaseModel):
    """What is asked; an unknown parameter is an error, not ignored."""

    model_config = ConfigDict(extra="forbid")

    def asked(self) -> dict[str, Any]:
        """What was said, as keyword arguments for the question; what was not said keeps the question's own default.

        >>> Traversal(id="urn:x", roles=["train,test"], depth="2").asked()
        {'depth': 2, 'roles': ('train', 'test')}
        """
        said = {}
        for name in self.model_fields_set - {"id", "format"}:
            value = getattr(self, name)
            if value is not None:
                said[name] = tuple(value) if isinstance(value, list) else json.dumps(value) if isinstance(value, dict) else value
        return dict(sorted(said.items()))


def check(said: Mapping[str, Any]) -> None:
    """Look over the words of a question before it is handed on to a page. Raises `BadParameter` as the answer would."""
    read_traversal({name: value for name, value in said.items() if name in _TRAVERSAL})
    change = said.get("change")
    if change is not None and change not in vocabulary().changes:
        raise BadParameter(f"change: '{change}' is none of {', '.join(sorted(vocabulary().changes))}", parameter="change")


_TRAVERSAL = frozenset(
    {"direction", "depth", "types", "roles", "stop_at", "ignore_as_hops", "as_of", "known_at", "min_evidence", "max_nodes"}
    | {"fields", "include"}
)


class Traversal(Question):
    """The traversal parameters."""

    id: str = Field(
        min_length=1,
        max_length=4000,
        description="The thing to start from: a full IRI, a CURIE, a PID, a digest, an external id (mlflow:RUNID), or kind/key.",
        examples=["dataset/digits-train-v1"],
    )
    direction: Direction | None = Field(None, description="Which way to walk. Lineage walks upstream if nothing is said.")
    depth: Annotated[int | Literal["full"] | None, BeforeValidator(read_depth)] = Field(
        None, description="How many steps to walk: a number from 0 upwards, or 'full' (the default)."
    )
    types: Several = Field([], description="Only show things of these kinds (the walk still passes through others).")
    roles: Several = Field([], description="Only follow links in these roles, such as train or test.")
    stop_at: Several = Field([], description="Do not walk beyond things of these kinds or with these identifiers.")
    ignore_as_hops: Several = Field([], description="Kinds that do not count as a step, such as run.")
    as_of: str | None = Field(
        None,
        description="The world at this time (RFC 3339; a date means its end): what came later is not there yet.",
        max_length=64,
    )
    known_at: str | None = Field(
        None, description="What was known at this time (RFC 3339) or ledger sequence number.", max_length=64
    )
    min_evidence: Evidence | None = Field(None, description="Only follow links with at least this evidence.")
    max_nodes: int | None = Field(
        None, ge=1, le=MOST_NODES, description="At most so many things in the answer; the summary counts all."
    )
    fields: Several = Field([], description="Only these fields of each node.")
    include: Several = Field([], description="Further parts of the answer: edges, paths, statements.")
    format: str | None = Field(
        None, max_length=100, description="json, csv, html or an RDF syntax; goes before the Accept header."
    )


class Impact(Traversal):
    """The traversal parameters, with a simulated change: `change` says what happens to the object `id`, `slice` to which part."""

    change: str | None = Field(
        None,
        max_length=64,
        description="Simulate a change of this kind at the object. Left out, id must name a change notice.",
        examples=["labels-corrected"],
    )
    slice: Annotated[dict[str, Any] | None, BeforeValidator(read_slice)] = Field(
        None, description='Which part changed, as JSON, such as {"labels": ["7"]}; left out, all of it.'
    )


class Explain(Question):
    """What is to be explained: the verdict of a change on `to`, or how `id` and `to` are linked."""

    id: str = Field(
        min_length=1,
        max_length=4000,
        description="A change notice, or a thing: a full IRI, a CURIE, a PID, a digest, an external id (mlflow:RUNID), kind/key.",
        examples=["dataset/digits-train-v1"],
    )
    to: str | None = Field(
        None,
        max_length=4000,
        description="The thing whose verdict is explained. Left out, the worst that an announced change does to id.",
        examples=["model/svm"],
    )
    change: str | None = Field(
        None, max_length=64, description="Suppose a change of this kind at id.", examples=["labels-corrected"]
    )
    slice: Annotated[dict[str, Any] | None, BeforeValidator(read_slice)] = Field(
        None, description='Which part changed, as JSON, such as {"labels": ["7"]}; left out, all of it.'
    )
    k: int = Field(3, ge=1, le=50, description="How many paths, the best first.")
    direction: Direction | None = Field(
        None, description="Between two things: from id downstream to to, or the other way; if nothing is said, whichever leads."
    )
    roles: Several = Field([], description="Only follow links in these roles, such as train or test.")
    stop_at: Several = Field([], description="Do not walk beyond things of these kinds or with these identifiers.")
    min_evidence: Evidence | None = Field(None, description="Only follow links with at least this evidence.")
    as_of: str | None = Field(None, max_length=64, description="The world at this time (RFC 3339; a date means its end).")
    known_at: str | None = Field(
        None, max_length=64, description="What was known at this time (RFC 3339) or ledger sequence number."
    )
    fields: Several = Field([], description="Only these fields of each node.")
    language: str | None = Field(
        None, max_length=40, description="The language of the sentence, en or de; else Accept-Language decides.", examples=["de"]
    )
    format: str | None = Field(
        None, max_length=100, description="json, csv (the hops), html or an RDF syntax; goes before the Accept header."
    )


class Difference(Impact):
    """The parameters of a difference between two times."""

    since: str = Field(min_length=1, max_length=64, description="The earlier time (RFC 3339) or ledger sequence number.")
    until: str | None = Field(None, max_length=64, description="The later one; left out, now.")
    basis: Literal["as_of", "known_at"] = Field(
        "as_of", description="Whether the times are states of the world (as_of) or of what was known (known_at)."
    )
