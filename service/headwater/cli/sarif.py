"""A validation as SARIF 2.1.0 (OASIS), which code-scanning pages of GitHub, GitLab and editors show beside the files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from headwater import __version__
from headwater.checking.messages import message
from headwater.cli.validate_report import Problem, problems

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {"violation": "error", "warning": "warning", "info": "note"}
_OWN: Final = {
    "unreadable": "A source could not be read.",
    "nothing-to-judge": "The profile found nothing to judge.",
}


def sarif(whole: Mapping[str, Any]) -> dict[str, Any]:
    """The report as a SARIF log with one run.

    >>> empty = {"conforms": True, "profile": None, "language": "en", "sources": [], "objects": []}
    >>> log = sarif(empty)
    >>> log["version"], log["runs"][0]["results"]
    ('2.1.0', [])
    """
    found = list(problems(whole))
    rules: dict[str, Problem] = {}
    for problem in found:
        rules.setdefault(problem.rule, problem)
    numbers = {rule: number for number, rule in enumerate(rules)}
    driver = {
        "name": "Headwater",
        "version": __version__,
        "informationUri": "https://w3id.org/headwater",
        "rules": [_rule(problem, whole["language"]) for problem in rules.values()],
    }
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "invocations": [{"executionSuccessful": True, "exitCode": 0 if whole["conforms"] else 2}],
                "columnKind": "unicodeCodePoints",
                "results": [_result(problem, numbers[problem.rule]) for problem in found],
            }
        ],
    }


def _rule(problem: Problem, language: str) -> dict[str, Any]:
    said = message(problem.shape, language) if problem.shape else _OWN[problem.rule]
    told: dict[str, Any] = {
        "id": problem.rule,
        "shortDescription": {"text": said or problem.rule},
        "defaultConfiguration": {"level": _LEVELS[problem.severity]},
    }
    if problem.shape:
        told["helpUri"] = problem.shape
    return told


def _result(problem: Problem, number: int) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if problem.source is not None:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": _address(problem.source)},
            # Pages that show findings beside a file want a line; where none is known it is the first.
            "region": {"startLine": max(problem.line or 1, 1)},
        }
    if problem.focus is not None:
        location["logicalLocations"] = [{"fullyQualifiedName": problem.focus, "kind": "resource"}]
    seed = "\x1f".join((problem.rule, problem.source or "", problem.focus or "", problem.message))
    told: dict[str, Any] = {
        "ruleId": problem.rule,
        "ruleIndex": number,
        "level": _LEVELS[problem.severity],
        "message": {"text": problem.message},
        "partialFingerprints": {"headwater/v1": hashlib.sha256(seed.encode("utf-8", "replace")).hexdigest()[:32]},
    }
    if location:
        told["locations"] = [location]
    return told


def _address(source: str) -> str:
    """A path as a URI reference: relative to where the command ran if it lies below, so that pages find the file."""
    path = Path(source)
    if path.is_absolute():
        try:
            path = path.relative_to(Path.cwd())
        except ValueError:
            return path.as_uri()
    return quote(path.as_posix())
