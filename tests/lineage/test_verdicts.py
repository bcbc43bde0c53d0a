"""What a change does in the cases that need thought: revisions, slices, time, doubt, cycles, steering."""

from __future__ import annotations

import pytest

from headwater.lineage.graph import Limits
from headwater.lineage.slices import read_slice
from tests.lineage.worlds import Said, World, story, used

REVISED = f"""
:concept a hw:Dataset .
:v1 a hw:Dataset ; hw:version "1" ; prov:specializationOf :concept .
:v2 a hw:Dataset ; hw:version "2" ; prov:specializationOf :concept ; prov:wasRevisionOf :v1 .
:run1 a hw:Run ; {used(":v1", "train")} . :model1 a hw:Model ; prov:wasGeneratedBy :run1 .
:run2 a hw:Run ; {used(":v2", "train")} . :model2 a hw:Model ; prov:wasGeneratedBy :run2 .
:asking a hw:Run ; {used(":model1", "predict")} . :predictions a hw:Dataset ; prov:wasGeneratedBy :asking .
"""


def states(world: World, verdicts: object, *names: str) -> dict[str, str]:
    return {name: world.state(verdicts, name) for name in names}  # type: ignore[arg-type]


# --- revisions


def test_the_mended_revision_and_what_was_made_from_it_are_not_affected() -> None:
    world = World(REVISED)
    verdicts = world.judged("labels-corrected", "v1", mended=["v2"])
    assert states(world, verdicts, "run1", "model1", "predictions") == dict.fromkeys(
        ("run1", "model1", "predictions"), "affected"
    )
    assert states(world, verdicts, "v2", "run2", "model2") == dict.fromkeys(("v2", "run2", "model2"), "not_affected")
    assert world.said(verdicts, "v2") == Said("not_affected", "info", "none", "mended")


def test_a_model_with_a_later_revision_from_the_mended_input_is_resolved_and_its_predictions_stay_affected() -> None:
    world = World(REVISED, ":model2 prov:wasRevisionOf :model1 .")
    verdicts = world.judged("labels-corrected", "v1", mended=["v2"])
    assert world.said(verdicts, "model1") == Said("resolved", "info", "stale", "mended-since")
    assert world.name(verdicts.resolved_by[world.id("model1")]) == "model2"
    assert world.said(verdicts, "predictions") == Said("affected", "major", "stale", "predicted-with")
    assert world.state(verdicts, "run1") == "affected"


def test_a_later_revision_that_was_made_from_the_old_input_resolves_nothing() -> None:
    again = f"""
    :again a hw:Run ; {used(":v1", "train")} .
    :model1b a hw:Model ; prov:wasGeneratedBy :again ; prov:wasRevisionOf :model1 .
    """
    world = World(REVISED, again)
    verdicts = world.judged("labels-corrected", "v1", mended=["v2"])
    assert states(world, verdicts, "model1", "model1b") == {"model1": "affected", "model1b": "affected"}
    assert verdicts.resolved_by == {}


def test_the_nearest_sound_revision_in_a_chain_resolves() -> None:
    chain = f"""
    :again a hw:Run ; {used(":v1", "train")} . :model1b a hw:Model ; prov:wasGeneratedBy :again ; prov:wasRevisionOf :model1 .
    :model2 prov:wasRevisionOf :model1b .
    :run3 a hw:Run ; {used(":v2", "train")} . :model3 a hw:Model ; prov:wasGeneratedBy :run3 ; prov:wasRevisionOf :model2 .
    """
    world = World(REVISED, chain)
    verdicts = world.judged("labels-corrected", "v1", mended=["v2"])
    assert {world.name(old): world.name(new) for old, new in verdicts.resolved_by.items()} == {
        "model1": "model2",
        "model1b": "model2",
    }


def test_an_unexplained_later_revision_of_the_faulty_thing_is_cannot_tell_with_what_was_made_from_it() -> None:
    world = World(REVISED)
    verdicts = world.judged("labels-corrected", "v1")
    assert world.said(verdicts, "v2") == Said("cannot_tell", "major", "stale", "later-revision")
    assert world.said(verdicts, "model2") == Said("cannot_tell", "major", "stale", "later-revision")
    assert world.state(verdicts, "model1") == "affected"


def test_a_revision_that_tells_what_it_was_made_from_is_judged_by_that() -> None:
    sources = f"""
    :raw a hw:Dataset ; hw:version "1" .
    :relabelling a hw:Run ; {used(":raw", "label")} . :v2 prov:wasGeneratedBy :relabelling .
    """
    world = World(REVISED, sources)
    assert world.state(world.judged("labels-corrected", "v1"), "model2") == "not_affected"
    assert world.state(world.judged("values-corrected", "raw"), "model2") == "affected"


def test_a_revision_after_the_mended_one_is_sound_unless_it_was_made_from_the_fault_again() -> None:
    third = f"""
    :v3 a hw:Dataset ; hw:version "3" ; prov:wasRevisionOf :v2 .
    :run3 a hw:Run ; {used(":v3", "train")} . :model3 a hw:Model ; prov:wasGeneratedBy :run3 .
    """
    world = World(REVISED, third)
    verdicts = world.judged("labels-corrected", "v1", mended=["v2"])
    assert states(world, verdicts, "v3", "model3") == {"v3": "not_affected", "model3": "not_affected"}
    world = World(REVISED, third, f":merging a hw:Run ; {used(':predictions', 'label')} . :v3 prov:wasGeneratedBy :merging .")
    verdicts = world.judged("labels-corrected", "v1", mended=["v2"])
    assert world.said(verdicts, "v3") == Said("cannot_tell", "major", "stale", "later-revision")
    assert world.state(verdicts, "model3") == "cannot_tell"


def test_a_revision_of_itself_and_a_circle_of_revisions_end() -> None:
    circle = (
        ":model2 prov:wasRevisionOf :model2, :model1 . :model1 prov:wasRevisionOf :model2 . :v1 prov:wasRevisionOf :v1, :v2 ."
    )
    world = World(REVISED, circle)
    verdicts = world.judged("labels-corrected", "v1", mended=["v2"])
    assert states(world, verdicts, "v1", "run1", "predictions", "model2") == {
        "v1": "affected",
        "run1": "affected",
        "predictions": "affected",
        "model2": "not_affected",
    }
    assert world.state(verdicts, "model1") == "resolved"


# --- doubt


def test_who_used_the_thing_without_a_version_may_have_used_the_faulty_one() -> None:
    unversioned = f":loose a hw:Run ; {used(':concept', 'train')} . :loosely a hw:Model ; prov:wasGeneratedBy :loose ."
    world = World(REVISED, unversioned)
    verdicts = world.judged("labels-corrected", "v1", mended=["v2"])
    for name in ("concept", "loose", "loosely"):
        assert world.said(verdicts, name) == Said("cannot_tell", "major", "stale", "unversioned-use")
    harmless = world.judged("reserialised", "v1", mended=["v2"])
    assert world.state(harmless, "loosely") == "not_affected"


def test_a_concept_that_nobody_uses_by_itself_is_not_reached() -> None:
    world = World(REVISED)
    assert world.said(world.judged("labels-corrected", "v1", mended=["v2"]), "concept") is None


def test_what_rests_on_expanded_links_alone_cannot_be_told_and_one_better_link_decides() -> None:
    world = World(story("train", evidence="expanded"))
    verdicts = world.judged("labels-corrected", "data")
    for name in ("run", "model", "release", "predictions"):
        assert world.said(verdicts, name) == Said("cannot_tell", "major", "stale", "expanded-only")
    world = World(story("train", evidence="expanded"), f":run {used(':data', 'train', 'asserted')} .")
    assert world.state(world.judged("labels-corrected", "data"), "model") == "affected"


def test_min_evidence_leaves_weaker_links_out_of_the_question() -> None:
    world = World(story("train", evidence="inferred"), evidence="declared")
    strength = world.graph.words.evidence
    reached = world.judged("labels-corrected", "data", limits=Limits(min_evidence=strength["inferred"]))
    assert world.state(reached, "model") == "affected"
    assert world.said(world.judged("labels-corrected", "data", limits=Limits(min_evidence=strength["asserted"])), "model") is None


def test_a_use_without_a_role_is_reckoned_with_at_its_worst() -> None:
    world = World(""":data a hw:Dataset . :run a hw:Run ; prov:used :data . :model a hw:Model ; prov:wasGeneratedBy :run .""")
    assert world.said(world.judged("labels-corrected", "data"), "model") == Said("affected", "major", "stale", "role-unknown")


# --- slices

CLASSES = 'a hw:Slice ; hw:labelClass "1", "2"'


@pytest.mark.parametrize(
    ("changed", "state", "code"),
    [
        ('{"labels": ["3", "8"]}', "not_affected", "slice-disjoint"),
        ('{"labels": ["2", "3"]}', "affected", "trained-on"),
        ('{"files": ["a.csv"]}', "cannot_tell", "slice-unknown"),
        ('{"labels": ["2"], "files": ["a.csv"]}', "cannot_tell", "slice-unknown"),
        ('{"labels": ["9"], "files": ["a.csv"]}', "not_affected", "slice-disjoint"),
        ("{}", "affected", "trained-on"),
    ],
)
def test_a_changed_slice_against_the_slice_that_was_used(changed: str, state: str, code: str) -> None:
    world = World(story("train", slice=CLASSES))
    verdicts = world.judged("labels-corrected", "data", slice=read_slice(changed))
    said = world.said(verdicts, "model")
    assert said is not None
    assert (said.state, said.justification) == (state, code)


def test_a_use_of_the_whole_meets_every_slice() -> None:
    world = World(story("train"))
    for slice in (
        '{"labels": ["3"]}',
        '{"files": ["a"]}',
        '{"after": "2026-01-01T00:00:00Z"}',
        '{"first_run": 7, "last_run": 9}',
    ):
        assert world.state(world.judged("labels-corrected", "data", slice=read_slice(slice)), "model") == "affected"


def test_a_disjoint_slice_does_not_excuse_another_use_of_the_same_thing() -> None:
    world = World(
        story("train", slice=CLASSES), f":run {used(':data', 'validate', slice='hw:labelClass ' + chr(34) + '3' + chr(34))} ."
    )
    said = world.said(world.judged("labels-corrected", "data", slice='{"labels":["3"]}'), "model")
    assert said == Said("affected", "moderate", "selection-doubt", "selected-on")


@pytest.mark.parametrize(
    ("used_part", "changed", "state"),
    [
        ("hw:firstRun 100 ; hw:lastRun 199", '{"first_run": 200, "last_run": 250}', "not_affected"),
        ("hw:firstRun 100 ; hw:lastRun 200", '{"first_run": 200, "last_run": 250}', "affected"),
        ("hw:firstRun 100", '{"last_run": 99}', "not_affected"),
        ('hw:firstRun "many"', '{"last_run": 99}', "cannot_tell"),
        (
            'hw:before "2026-03-01T00:30:00+01:00"^^xsd:dateTime',
            '{"after": "2026-03-01T00:00:00Z"}',
            "not_affected",
        ),
        (
            'hw:after "2026-02-28T23:30:00-02:00"^^xsd:dateTime',
            '{"before": "2026-03-01T01:00:00Z"}',
            "not_affected",
        ),
        ('hw:column "age", "sex"', '{"columns": ["height"]}', "not_affected"),
        ('hw:member "r1"', '{"ids": ["r1", "r2"]}', "affected"),
        ('hw:fileDigest "sha256:aa"', '{"digests": "sha256:bb"}', "not_affected"),
    ],
)
def test_slices_by_runs_times_columns_ids_and_digests(used_part: str, changed: str, state: str) -> None:
    world = World(story("train", slice=used_part))
    assert world.state(world.judged("values-corrected", "data", slice=read_slice(changed)), "model") == state


# --- time: a tool was faulty for a while

TOOL = (
    """
:detector a hw:Instrument . :person a prov:Agent .
"""
    + "\n".join(
        f":shift{month} a hw:Run ; {used(':detector', 'execute')} ; prov:startedAtTime "
        f'"2026-0{month}-10T00:00:00Z"^^xsd:dateTime . '
        f":pages{month} a hw:Dataset ; prov:wasGeneratedBy :shift{month} ."
        for month in (1, 3, 5)
    )
    + f"""
:timeless a hw:Run ; {used(":detector", "execute")} . :pages0 a hw:Dataset ; prov:wasGeneratedBy :timeless .
"""
)


def test_only_what_a_tool_did_while_it_was_faulty_counts_and_unknown_times_stay_in_doubt() -> None:
    world = World(TOOL)
    fault = read_slice('{"after": "2026-02-01T00:00:00Z", "before": "2026-04-01T00:00:00Z"}')
    verdicts = world.judged("calibration-changed", "detector", slice=fault)
    assert states(world, verdicts, "pages0", "pages1", "pages3", "pages5") == {
        "pages0": "cannot_tell",
        "pages1": "cannot_tell",  # began before the fault, and nobody says how long it took
        "pages3": "affected",
        "pages5": "not_affected",
    }
    assert world.state(world.judged("calibration-changed", "detector"), "pages5") == "affected"


def test_an_instrument_that_did_a_run_passes_its_fault_on_and_a_person_who_did_does_not() -> None:
    world = World(
        ":run a hw:Run ; prov:wasAssociatedWith :detector, :person . :pages a hw:Dataset ; prov:wasGeneratedBy :run .", TOOL
    )
    assert world.state(world.judged("calibration-changed", "detector"), "pages") == "affected"
    assert world.state(world.judged("bug-found", "person"), "pages") == "not_affected"


# --- steering and cycles

LOOP = f"""
:data a hw:Dataset ; hw:version "1" . :scanner a hw:Instrument .
:learning a hw:Run ; {used(":data", "train")} .
:model a hw:Model ; prov:wasGeneratedBy :learning ; hw:controls :scanner .
:model prov:generatedAtTime "2026-03-01T00:00:00Z"^^xsd:dateTime .
:before a hw:Run ; {used(":scanner", "execute")} ; prov:startedAtTime "2026-02-01T00:00:00Z"^^xsd:dateTime .
:old a hw:Dataset ; prov:wasGeneratedBy :before .
:after a hw:Run ; {used(":scanner", "execute")} ; prov:startedAtTime "2026-04-01T00:00:00Z"^^xsd:dateTime .
:new a hw:Dataset ; prov:wasGeneratedBy :after .
:sometime a hw:Run ; {used(":scanner", "execute")} . :undated a hw:Dataset ; prov:wasGeneratedBy :sometime .
:adapting a hw:Run ; prov:startedAtTime "2026-05-01T00:00:00Z"^^xsd:dateTime .
:adapting {used(":new", "finetune")} ; {used(":model", "finetune")} .
:model2 a hw:Model ; prov:wasGeneratedBy :adapting ; hw:controls :scanner .
"""


def test_what_an_instrument_recorded_while_an_affected_model_steered_it_is_affected_and_what_it_did_before_is_not() -> None:
    world = World(LOOP)
    verdicts = world.judged("labels-corrected", "data")
    assert world.said(verdicts, "scanner") == Said("affected", "moderate", "steered", "controlled-by")
    assert world.said(verdicts, "new") == Said("affected", "major", "stale", "steered-by")
    assert world.said(verdicts, "old") == Said("not_affected", "info", "none", "steered-before")
    assert world.said(verdicts, "undated") == Said("cannot_tell", "major", "stale", "steered-when-unknown")
    assert world.said(verdicts, "model2") == Said("affected", "major", "stale", "fine-tuned-from")


def test_a_fault_of_the_instrument_goes_round_the_loop_and_ends() -> None:
    world = World(LOOP)
    verdicts = world.judged("calibration-changed", "scanner")
    affected = {name for name in ("new", "old", "undated", "adapting", "model2") if world.state(verdicts, name) == "affected"}
    assert affected == {"new", "old", "undated", "adapting", "model2"}
    assert world.said(verdicts, "model") is None


def test_tested_by_another_run_the_model_stands_and_papers_on_it_are_touched() -> None:
    world = World(f"""
        :test a hw:Dataset ; hw:version "1" . :train a hw:Dataset ; hw:version "1" .
        :learning a hw:Run ; {used(":train", "train")} . :model a hw:Model ; prov:wasGeneratedBy :learning .
        :testing a hw:Run ; {used(":test", "test")} ; {used(":model", "predict")} .
        :paper a hw:Publication ; hw:documents :model . :release a hw:Deployment ; hw:deploys :model .
    """)
    verdicts = world.judged("labels-corrected", "test")
    assert world.said(verdicts, "testing") == Said("affected", "moderate", "metrics-invalid", "tested-only")
    assert world.said(verdicts, "model") == Said("not_affected", "info", "metrics-invalid", "weights-stand")
    assert world.said(verdicts, "release") == Said("not_affected", "info", "none", "weights-stand")
    assert world.said(verdicts, "paper") == Said("affected", "moderate", "claims-touched", "reports")
    assert world.said(verdicts, "learning") is None


def test_what_is_both_trained_and_tested_on_is_stale() -> None:
    world = World(story("train") + f":run {used(':data', 'test')} .")
    assert world.said(world.judged("labels-corrected", "data"), "model") == Said("affected", "major", "stale", "trained-on")


def test_a_usage_with_two_roles_counts_in_both() -> None:
    world = World("""
        :data a hw:Dataset . :run a hw:Run ; prov:qualifiedUsage [ prov:entity :data ; prov:hadRole hw:test, hw:train ] .
        :model a hw:Model ; prov:wasGeneratedBy :run .
    """)
    assert world.state(world.judged("labels-corrected", "data"), "model") == "affected"


def test_a_whole_with_a_faulty_part_is_faulty_and_its_other_parts_are_not() -> None:
    world = World(""":bundle a hw:Dataset ; prov:hadMember :part, :other . :part a hw:Dataset . :other a hw:Dataset .""")
    verdicts = world.judged("labels-corrected", "part")
    assert world.said(verdicts, "bundle") == Said("affected", "major", "stale", "contains")
    assert world.said(verdicts, "other") is None


def test_model_cards_in_the_words_of_fair4ml_are_judged_by_role() -> None:
    world = World("""
        :model a fair4ml:MLModel ; fair4ml:trainedOn :train ; fair4ml:testedOn :test .
        :train a hw:Dataset . :test a hw:Dataset . :release a hw:Deployment ; hw:deploys :model .
    """)
    assert world.state(world.judged("labels-corrected", "train"), "release") == "affected"
    verdicts = world.judged("labels-corrected", "test")
    assert world.said(verdicts, "model") == Said("not_affected", "info", "metrics-invalid", "weights-stand")
    assert world.state(verdicts, "release") == "not_affected"


# --- numbers that an evaluation wrote

EVALUATED = f"""
:train a hw:Dataset ; hw:version "1" . :test a hw:Dataset ; hw:version "1" .
:learning a hw:Run ; {used(":train", "train")} . :model a hw:Model ; prov:wasGeneratedBy :learning .
:testing a hw:Run ; {used(":test", "test")} ; {used(":model", "predict")} . :scores a hw:Dataset ; prov:wasGeneratedBy :testing .
"""


@pytest.mark.parametrize("role", ["train", "finetune", "pretrain", "predict"])
def test_whoever_goes_on_with_what_a_wrong_evaluation_wrote_may_have_taken_wrong_numbers(role: str) -> None:
    world = World(EVALUATED, f":next a hw:Run ; {used(':scores', role)} . :second a hw:Model ; prov:wasGeneratedBy :next .")
    verdicts = world.judged("labels-corrected", "test")
    assert world.said(verdicts, "scores") == Said("affected", "moderate", "metrics-invalid", "tested-only")
    assert world.said(verdicts, "second") == Said("cannot_tell", "major", "stale", "wrong-numbers")
    assert world.said(verdicts, "model") == Said("not_affected", "info", "metrics-invalid", "weights-stand")


def test_what_was_derived_or_prepared_from_wrong_numbers_carries_the_doubt_on() -> None:
    world = World(
        EVALUATED,
        f":cleaning a hw:Run ; {used(':scores', 'preprocess')} . :clean a hw:Dataset ; prov:wasGeneratedBy :cleaning .",
        f":next a hw:Run ; {used(':clean', 'train')} . :second a hw:Model ; prov:wasGeneratedBy :next .",
        ":excerpt a hw:Dataset ; prov:wasDerivedFrom :scores .",
    )
    verdicts = world.judged("labels-corrected", "test")
    assert world.state(verdicts, "clean") == "affected"
    assert world.said(verdicts, "second") == Said("cannot_tell", "major", "stale", "wrong-numbers")
    assert world.state(verdicts, "excerpt") == "cannot_tell"


def test_the_model_of_a_run_that_tested_it_as_well_stands_and_so_does_what_was_made_from_it() -> None:
    world = World(f"""
        :train a hw:Dataset ; hw:version "1" . :test a hw:Dataset ; hw:version "1" .
        :both a hw:Run ; {used(":train", "train")} ; {used(":test", "test")} . :model a hw:Model ; prov:wasGeneratedBy :both .
        :next a hw:Run ; {used(":model", "finetune")} . :second a hw:Model ; prov:wasGeneratedBy :next .
    """)
    verdicts = world.judged("labels-corrected", "test")
    assert states(world, verdicts, "model", "next", "second") == dict.fromkeys(("model", "next", "second"), "not_affected")


# --- each kind of change, in the words of those who ask


@pytest.mark.parametrize("kind", ["retracted", "consent-withdrawn"])
def test_what_must_be_withdrawn_is_critical_up_to_the_deployments(kind: str) -> None:
    world = World(story("train"))
    verdicts = world.judged(kind, "data")
    for name in ("model", "adapted", "release"):
        said = world.said(verdicts, name)
        assert said is not None
        assert (said.state, said.severity, said.effect) == ("affected", "critical", "withdraw"), name


@pytest.mark.parametrize("kind", ["labels-added", "records-added"])
def test_an_addition_makes_nothing_wrong_and_marks_the_opportunity(kind: str) -> None:
    world = World(story("train"))
    verdicts = world.judged(kind, "data")
    for name in ("model", "adapted", "predictions", "release", "paper"):
        assert world.said(verdicts, name) == Said("not_affected", "info", "opportunity", "additions-only")


def test_a_licence_reaches_what_is_published_or_deployed_and_leaves_the_rest() -> None:
    world = World(story("train"))
    verdicts = world.judged("licence-changed", "data")
    reached = {
        name for name in ("model", "predictions", "release", "paper", "review") if world.state(verdicts, name) == "affected"
    }
    assert reached == {"release", "paper"}


@pytest.mark.parametrize("kind", ["superseded", "deprecated"])
def test_a_newer_release_is_advice_and_no_fault(kind: str) -> None:
    world = World(story("train"))
    assert world.said(world.judged(kind, "data"), "model") == Said("not_affected", "minor", "advice", "advice-only")


def test_a_later_revision_resolves_and_names_itself_while_its_predecessors_predictions_stay_affected() -> None:
    world = World(REVISED, ":model2 prov:wasRevisionOf :model1 .")
    verdicts = world.judged("labels-corrected", "v1", mended=["v2"])
    assert world.state(verdicts, "model1") == "resolved"
    assert world.name(verdicts.resolved_by[world.id("model1")]) == "model2"
    assert world.state(verdicts, "predictions") == "affected"
