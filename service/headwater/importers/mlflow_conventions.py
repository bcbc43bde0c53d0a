"""Run tags by which people say what MLflow has no field for: the role of an input, a data set written, a revision.

    headwater.role.<data set or model id> = <role>         the role of that input, instead of what MLflow's context says
    headwater.input.<model id or name/version> = <role>    the run used that model, in this role
    headwater.output.<data set> = dataset:<digest>         the run wrote a data set of that name and digest
    headwater.revision_of.<data set> = <digest>            the run's data set of that name revises the one with that digest

A role is a word of `ontology/roles.ttl`; a data set is named as in `mlflow.log_input`, and a digest is the one that MLflow
shows for it, so that a data set that one run wrote and another logged as its input is one thing. A tag that says anything
else is reported, not guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from headwater.records.draft import Finding
from headwater.terms.vocabulary import vocabulary

ROLES: Final = frozenset(role.name for role in vocabulary().roles if role.stated)
"""The roles a link can have, as `ontology/roles.ttl` states them."""

PREFIX: Final = "headwater."
_DIGEST = re.compile(r"[A-Za-z0-9._~+/=:-]{1,128}")
_FORMS = ("role", "input", "output", "revision_of")


@dataclass(slots=True)
class Said:
    """What a run's tags say: `roles` and `inputs` by name, `outputs` and `revisions` as name and digest."""

    roles: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    revisions: dict[str, str] = field(default_factory=dict)


def said(tags: Mapping[str, str], findings: list[Finding], where: str) -> Said:
    """Reads the tags that begin with `headwater.`; those that do not fit are reported as unmapped.

    >>> found = said({"headwater.role.digits": "calibrate", "headwater.output.predictions": "dataset:0a1b2c3d"}, [], "run")
    >>> found.roles, found.outputs
    ({'digits': 'calibrate'}, {'predictions': '0a1b2c3d'})
    """
    found = Said()
    for key, raw in tags.items():
        if not key.startswith(PREFIX):
            continue
        form, _, name = key[len(PREFIX) :].partition(".")
        value = raw.strip()
        complaint = _complaint(form, name, value)
        if complaint is not None:
            findings.append(Finding("unmapped", "headwater-tag", f"{key} = {value[:80]!r}: {complaint}", f"{where}/tags/{key}"))
        elif form == "role":
            found.roles[name] = value
        elif form == "input":
            found.inputs[name] = value
        elif form == "output":
            found.outputs[name] = value.removeprefix("dataset:")
        else:
            found.revisions[name] = value.removeprefix("dataset:")
    return found


def _complaint(form: str, name: str, value: str) -> str | None:
    if form not in _FORMS:
        return f"not one of {', '.join(PREFIX + known + '.…' for known in _FORMS)}"
    if not name:
        return "it names nothing"
    if form in ("role", "input"):
        return None if value in ROLES else f"the role is none of {', '.join(sorted(ROLES))}"
    digest = value.removeprefix("dataset:")
    if form == "output" and digest == value:
        return "the value must be dataset:<digest>"
    return None if _DIGEST.fullmatch(digest) else "the digest is not one word"
