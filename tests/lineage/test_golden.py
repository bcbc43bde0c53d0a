"""For every kind of change and every role: what a person who knows the matter would say of what came of it."""

from __future__ import annotations

import pytest

from headwater.terms.vocabulary import vocabulary
from tests.lineage.worlds import Said, World, story, used

FAULTS = ("labels-corrected", "values-corrected", "records-removed", "calibration-changed", "bug-found", "bug-fixed")
WITHDRAWALS = ("retracted", "consent-withdrawn")
ADDITIONS = ("labels-added", "records-added")
ADVICE = ("superseded", "deprecated", "schema-changed", "environment-changed")
HARMLESS = ("reserialised", "metadata-only")
INTO_WEIGHTS = {
    "train": "trained-on",
    "finetune": "fine-tuned-from",
    "pretrain": "pre-trained-on",
    "preprocess": "prepared-from",
    "label": "labelled-from",
    "calibrate": "calibrated-with",
    "configure": "configured-with",
    "execute": "run-with",
    "predict": "predicted-with",
    "deploy": "deploys",
    "control": "steered-by",
}
CLAIMS_ONLY = {"document": "reports", "cite": "cites-only"}
THINGS = ("run", "model", "adapted", "asking", "predictions", "release", "paper", "report", "review")


def table(text: str) -> dict[str, Said]:
    lines = [line.split() for line in text.strip().splitlines()]
    assert tuple(line[0] for line in lines) == THINGS
    return {line[0]: Said(*line[1:]) for line in lines}


def stale(code: str) -> dict[str, Said]:
    return table(f"""
        run          affected      major     stale               {code}
        model        affected      major     stale               {code}
        adapted      affected      major     stale               fine-tuned-from
        asking       affected      major     stale               predicted-with
        predictions  affected      major     stale               predicted-with
        release      affected      major     stale               deploys
        paper        affected      major     claims-unsupported  reports
        report       affected      major     claims-unsupported  reports
        review       affected      moderate  claims-touched      cites-only
    """)


def withdrawn(role: str, code: str) -> dict[str, Said]:
    if role in ("predict", "control"):
        # Predictions and recordings do not contain the withdrawn data: they are to be made again, not to be withdrawn.
        return stale(code)
    return table(f"""
        run          affected      critical  withdraw            {code}
        model        affected      critical  withdraw            {code}
        adapted      affected      critical  withdraw            fine-tuned-from
        asking       affected      major     stale               predicted-with
        predictions  affected      major     stale               predicted-with
        release      affected      critical  withdraw            deploys
        paper        affected      major     claims-unsupported  reports
        report       affected      major     claims-unsupported  reports
        review       affected      moderate  claims-touched      cites-only
    """)


def weights_stand(code: str) -> dict[str, Said]:
    return table(f"""
        run          affected      moderate  metrics-invalid     {code}
        model        not_affected  info      metrics-invalid     weights-stand
        adapted      not_affected  info      none                weights-stand
        asking       not_affected  info      none                weights-stand
        predictions  not_affected  info      none                weights-stand
        release      not_affected  info      none                weights-stand
        paper        affected      moderate  claims-touched      reports
        report       affected      moderate  claims-touched      reports
        review       affected      moderate  claims-touched      cites-only
    """)


def selected() -> dict[str, Said]:
    return table("""
        run          affected      moderate  selection-doubt     selected-on
        model        affected      moderate  selection-doubt     selected-on
        adapted      affected      moderate  selection-doubt     fine-tuned-from
        asking       affected      moderate  selection-doubt     predicted-with
        predictions  affected      moderate  selection-doubt     predicted-with
        release      affected      moderate  selection-doubt     deploys
        paper        affected      moderate  claims-touched      reports
        report       affected      moderate  claims-touched      reports
        review       affected      moderate  claims-touched      cites-only
    """)


def everywhere(severity: str, effect: str, code: str, review: str | None = None) -> dict[str, Said]:
    found = {thing: Said("not_affected", severity, effect, code) for thing in THINGS}
    if review is not None:
        found["review"] = Said("not_affected", "info", review, code)
    return found


def licence() -> dict[str, Said]:
    return table("""
        run          not_affected  info      terms               terms-only
        model        not_affected  info      terms               terms-only
        adapted      not_affected  info      terms               terms-only
        asking       not_affected  info      terms               terms-only
        predictions  not_affected  info      terms               terms-only
        release      affected      moderate  terms-apply         terms-only
        paper        affected      moderate  terms-apply         terms-only
        report       affected      moderate  terms-apply         terms-only
        review       not_affected  info      none                terms-only
    """)


def licence_published() -> dict[str, Said]:
    bound = {thing: Said("affected", "moderate", "terms-apply", "terms-only") for thing in THINGS}
    return bound | {"review": Said("not_affected", "info", "none", "terms-only")}


def wanted(kind: str, role: str) -> dict[str, Said]:
    if kind in HARMLESS:
        return everywhere("info", "none", kind)
    if kind in FAULTS + WITHDRAWALS:
        if role == "test":
            return weights_stand("tested-only")
        if role == "validate":
            return selected()
        if role in CLAIMS_ONLY:
            return weights_stand(CLAIMS_ONLY[role])
        code = INTO_WEIGHTS[role]
        return withdrawn(role, code) if kind in WITHDRAWALS else stale(code)
    if kind in ADDITIONS:
        reaches = role not in ("test", "validate", "cite", "control")
        return everywhere("info", "opportunity" if reaches else "none", "additions-only", "none")
    if kind in ADVICE:
        return everywhere("info", "none", "advice-only") if role == "control" else everywhere("minor", "advice", "advice-only")
    assert kind == "licence-changed"
    if role in ("test", "validate", "cite", "control"):
        return everywhere("info", "none", "terms-only")
    return licence_published() if role in ("deploy", "document") else licence()


ROLES = [role.name for role in vocabulary().roles if role.stated]


@pytest.mark.parametrize("role", ROLES)
def test_every_kind_of_change_over_this_role_has_the_expected_verdicts(role: str) -> None:
    world = World(story(role))
    for kind in vocabulary().changes:
        verdicts = world.judged(kind, "data")
        found = {thing: world.said(verdicts, thing) for thing in THINGS}
        assert found == wanted(kind, role), kind


def test_the_changed_object_itself_stands_at_distance_0_with_the_effect_that_the_change_begins_with() -> None:
    world = World(story("train"))
    for kind, told in vocabulary().changes.items():
        verdicts = world.judged(kind, "data")
        assert (world.name(int(verdicts.nodes[0])), int(verdicts.distance[0])) == ("data", 0)
        said = world.said(verdicts, "data")
        assert said is not None
        assert said.effect == told.begins_with
        assert said.justification == (told.because or "changed-itself")


def test_a_run_that_says_that_a_model_steered_it_passes_on_the_models_fault_to_what_it_recorded() -> None:
    world = World(f"""
        :data a hw:Dataset ; hw:version "1" . :learning a hw:Run ; {used(":data", "train")} .
        :model a hw:Model ; prov:wasGeneratedBy :learning .
        :shift a hw:Run ; {used(":model", "control")} . :pages a hw:Dataset ; prov:wasGeneratedBy :shift .
    """)
    said = world.said(world.judged("labels-corrected", "data"), "pages")
    assert said == Said("affected", "major", "stale", "steered-by")
