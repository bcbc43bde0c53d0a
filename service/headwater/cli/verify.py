"""`headwater verify`: do store and index say what the ledger says?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headwater.cli.opening import opened
from headwater.cli.options import Data, Json, Language

_SHOWN = 20
"""Violations that a person is shown; --json has all."""

Audit = Annotated[
    bool,
    typer.Option(
        "--audit",
        help="Instead, check everything against the shapes. Exit code 1 if one is violated.",
    ),
]


def verify(audit: Audit = False, language: Language = "en", as_json: Json = False, data: Data = None) -> None:
    """Compare the triplestore and the lineage index with the ledger, and say what differs. Exit code 1 if anything does."""
    from headwater.checking.messages import spoken
    from headwater.cli.printing import note, show, show_json

    language = spoken(language)
    if audit:
        _audit(language, as_json, data)
        return
    with opened(data) as headwater:
        differences = headwater.verify()
        sequence = headwater.sequence
        due = headwater.audits.status()["reasons"]
    if as_json:
        show_json({"sequence": sequence, "ok": not differences, "differences": differences, "audit_due": due})
    elif differences:
        show([("Store or index differ from the ledger:", "bold red"), *(f"  · {difference}" for difference in differences)])
        show(["'headwater rebuild' makes them anew from the ledger; nothing is lost."])
    else:
        show([f"Store and index say what the ledger says, up to entry {sequence:,}."])
    if due and not as_json:
        note(f"An audit is due; 'headwater verify --audit' makes it, and 'headwater serve' by itself. {' '.join(due)}")
    if differences:
        raise typer.Exit(1)


def _audit(language: str, as_json: bool, data: Path | None) -> None:
    from headwater.cli.printing import progress, show, show_json

    with opened(data) as headwater:
        with progress("Asking each shape") as follow:
            audit = headwater.audit(follow)
        sequence = headwater.sequence
    if as_json:
        show_json({"sequence": sequence, **audit.as_dict(language)})
    else:
        for result in audit.report().violations[:_SHOWN]:
            show([f"  · {result.sentence(language)}"])
        violations, warnings, infos = audit.counts.values()
        show([f"Up to entry {sequence:,}: {violations:,} violations, {warnings:,} warnings and {infos:,} hints."])
        if violations > _SHOWN:
            show([f"The first {_SHOWN} violations are shown; --json has them all."])
        for shape, reason in audit.uncompiled.items():
            show([f"pyshacl judged <{shape}>: {reason}"])
    if not audit.conforms:
        raise typer.Exit(1)
