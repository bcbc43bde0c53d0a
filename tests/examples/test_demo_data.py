"""The kept demonstration project: small, real, of nobody's machine, and its expected answers agree with its files."""

from __future__ import annotations

import json
import re
import statistics
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyoxigraph import NamedNode, RdfFormat, Triple, parse

from headwater.settings import Settings
from headwater.terms.minting import Mint, slug
from headwater.terms.names import DCTERMS, HW, PROV, RDF, RDFS

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo"
MLRUNS = DEMO / "mlruns"
BASE = Settings.model_fields["base_iri"].default
MINT = Mint(BASE)
TURTLE = sorted(DEMO.glob("*.ttl"))
DOWNWARDS = (PROV.used, PROV.wasGeneratedBy, HW.deploys, HW.documents)
"""Predicates whose subject depends on their object."""


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return json.loads((DEMO / "expected.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def triples() -> list[Triple]:
    return [
        Triple(quad.subject, quad.predicate, quad.object) for path in TURTLE for quad in parse(path=path, format=RdfFormat.TURTLE)
    ]


def run_folders() -> list[Path]:
    return sorted(path.parent for path in MLRUNS.glob("*/*/meta.yaml") if path.parents[1].name != "models")


def tags(run: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in (run / "tags").iterdir()}


def dataset(name: str, digest: str) -> str:
    return MINT.thing("dataset", f"mlflow-{slug(name)}-{slug(digest)}")


def inputs(run: Path) -> Iterator[tuple[str, str]]:
    """(IRI, MLflow's context) of the data sets that a run used."""
    for path in (run / "inputs").glob("*/meta.yaml"):
        link = yaml.safe_load(path.read_text(encoding="utf-8"))
        if link["source_type"] == "DATASET":
            meta = yaml.safe_load((run.parent / "datasets" / link["source_id"] / "meta.yaml").read_text(encoding="utf-8"))
            yield dataset(meta["name"], meta["digest"]), link["tags"]["mlflow.data.context"]


def outputs(run: Path) -> set[str]:
    """IRIs of the models and data sets that a run made."""
    made = {MINT.thing("model", f"mlflow-{path.parent.name}") for path in (run / "outputs").glob("*/meta.yaml")}
    for tag, value in tags(run).items():
        if tag.startswith("headwater.output."):
            made.add(dataset(tag.removeprefix("headwater.output."), value.removeprefix("dataset:")))
    return made


def minted() -> set[str]:
    """Every IRI that the tracking folder stands for."""
    iris = set()
    for run in run_folders():
        iris |= {MINT.thing("run", f"mlflow-{run.name}")} | outputs(run) | {iri for iri, _ in inputs(run)}
    return iris | {iri.rpartition("-")[0] for iri in iris if "/id/dataset/" in iri}


def dependants(triples: list[Triple]) -> dict[str, set[str]]:
    """What depends directly on each thing, from the tracking folder and the Turtle; citing is left out."""
    below: dict[str, set[str]] = defaultdict(set)
    for run in run_folders():
        iri = MINT.thing("run", f"mlflow-{run.name}")
        for used, _ in inputs(run):
            below[used].add(iri)
        for tag in tags(run):
            if tag.startswith("headwater.input."):
                below[MINT.thing("model", f"mlflow-{tag.removeprefix('headwater.input.')}")].add(iri)
        below[iri] |= outputs(run)
    for triple in triples:
        if triple.predicate in DOWNWARDS:
            below[triple.object.value].add(triple.subject.value)
        elif triple.predicate == HW.controls:
            below[triple.subject.value].add(triple.object.value)
    return below


def reached(start: str, below: dict[str, set[str]]) -> set[str]:
    seen, todo = {start}, [start]
    while todo:
        for nearer in below.get(todo.pop(), ()):
            if nearer not in seen:
                seen.add(nearer)
                todo.append(nearer)
    return seen - {start}


def last_value(run_iri: str, metric: str) -> float:
    (path,) = MLRUNS.glob(f"*/{run_iri.rpartition('mlflow-')[2]}/metrics/{metric}")
    return float(path.read_text(encoding="utf-8").splitlines()[-1].split()[1])


def settings_of(run_iri: str) -> dict[str, str]:
    (folder,) = MLRUNS.glob(f"*/{run_iri.rpartition('mlflow-')[2]}/params")
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_everything_together_stays_below_600_kilobytes() -> None:
    assert sum(path.stat().st_size for path in DEMO.rglob("*") if path.is_file()) < 600_000


def test_no_weights_pickles_or_pictures_are_kept() -> None:
    allowed = {"MLmodel", "meta.yaml", "requirements.txt"}
    plain = {"params", "metrics", "tags"}
    files = [path for path in MLRUNS.rglob("*") if path.is_file()]
    assert [path for path in files if path.name not in allowed and path.parent.name not in plain] == []


def test_no_path_host_or_address_of_a_machine_is_kept() -> None:
    private = re.compile(r"/(?:tmp|work|root|home|Users)/|[\w.+-]+@[\w-]+\.\w+|localhost")
    found = [
        (path.relative_to(DEMO).as_posix(), match.group())
        for path in DEMO.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
        for match in private.finditer(path.read_text(encoding="utf-8"))
        if not match.group().startswith(("form-reader@", "kiosk@", "feeder-control@"))
    ]
    assert found == []


def test_every_location_in_the_tracking_folder_is_in_the_neutral_lab() -> None:
    texts = [path.read_text(encoding="utf-8") for path in MLRUNS.rglob("meta.yaml")]
    places = {place for text in texts for place in re.findall(r"file://(\S+)", text)}
    assert places
    assert all(place.startswith("/srv/digits-lab/") for place in places)


def test_every_turtle_file_parses_and_has_its_template() -> None:
    assert {path.name for path in TURTLE} == {path.name for path in (DEMO / "templates").glob("*.ttl")}
    for path in TURTLE:
        assert len(list(parse(path=path, format=RdfFormat.TURTLE))) > 0
        assert "$" not in path.read_text(encoding="utf-8")


def test_every_thing_named_in_the_turtle_is_a_real_one_or_is_described_there(triples: list[Triple]) -> None:
    vocabulary = {HW.changeKind, HW.evidence, PROV.hadRole, RDF.type, DCTERMS.license}
    named = {
        term.value
        for triple in triples
        for term in (triple.subject, triple.object)
        if isinstance(term, NamedNode) and not (term == triple.object and triple.predicate in vocabulary)
    }
    typed = {triple.subject.value for triple in triples if triple.predicate == RDF.type}
    described = {iri for iri in typed if not iri.startswith(BASE)}
    assert named - described - minted() == set()


def test_every_described_thing_has_a_label(triples: list[Triple]) -> None:
    typed = {t.subject for t in triples if t.predicate == RDF.type and isinstance(t.subject, NamedNode)}
    assert typed - {t.subject for t in triples if t.predicate == RDFS.label} == set()


def test_all_runs_but_the_refused_one_finished_and_record_one_commit() -> None:
    statuses = [yaml.safe_load((run / "meta.yaml").read_text(encoding="utf-8"))["status"] for run in run_folders()]
    assert (statuses.count(3), statuses.count(4)) == (len(statuses) - 1, 1)
    commits = {tags(run)["mlflow.source.git.commit"] for run in run_folders()}
    assert len(commits) == 1
    assert all(re.fullmatch(r"[0-9a-f]{40}", commit) for commit in commits)


def test_tags_that_speak_of_data_sets_name_digests_that_other_runs_know() -> None:
    known = {iri for run in run_folders() for iri, _ in inputs(run)}
    revisions, written = set(), set()
    for run in run_folders():
        for tag, value in tags(run).items():
            if tag.startswith("headwater.revision_of."):
                revisions.add(dataset(tag.removeprefix("headwater.revision_of."), value))
            if tag.startswith("headwater.output."):
                written.add(dataset(tag.removeprefix("headwater.output."), value.removeprefix("dataset:")))
    assert len(revisions) == 4
    assert revisions <= known
    # The second pseudo-labels are the one data set that nobody has used yet.
    assert {iri.rpartition("/mlflow-")[2].rpartition("-")[0] for iri in written - known} == {"digits-pseudo"}


def test_a_comparable_pair_differs_in_the_training_revision_alone(expected: dict[str, Any]) -> None:
    folder = {MINT.thing("run", f"mlflow-{run.name}"): run for run in run_folders()}
    step = expected["benefits"][expected["names"]["concept digits-train"]]["direct"]
    pairs = step["metrics"]["accuracy"]["pairs"]
    assert len(pairs) >= 5
    for pair in pairs:
        before, after = pair["before_run"], pair["after_run"]
        assert settings_of(before) == settings_of(after)
        assert set(inputs(folder[before])) - set(inputs(folder[after])) == {(step["from"], "training")}
        assert set(inputs(folder[after])) - set(inputs(folder[before])) == {(step["to"], "training")}


def test_a_confounded_pair_differs_in_more(expected: dict[str, Any]) -> None:
    folder = {MINT.thing("run", f"mlflow-{run.name}"): run for run in run_folders()}
    confounded = expected["benefits"][expected["names"]["concept digits-train"]]["confounded"]
    assert confounded
    for pair in confounded:
        before, after = pair["before_run"], pair["after_run"]
        other_settings = settings_of(before) != settings_of(after)
        other_inputs = len(set(inputs(folder[before])) ^ set(inputs(folder[after]))) > 2
        assert other_settings or other_inputs


def test_the_expected_gains_are_those_of_the_metric_files(expected: dict[str, Any]) -> None:
    steps = [step for benefit in expected["benefits"].values() for key, step in benefit.items() if key != "confounded"]
    for step in steps:
        for metric, gain in step["metrics"].items():
            deltas = [last_value(p["after_run"], metric) - last_value(p["before_run"], metric) for p in gain["pairs"]]
            assert gain["n"] == len(deltas)
            assert gain["mean_delta"] == pytest.approx(statistics.fmean(deltas), abs=1e-12)


def test_the_readme_states_the_expected_mean_gains(expected: dict[str, Any]) -> None:
    readme = (DEMO / "README.md").read_text(encoding="utf-8")
    for benefit in expected["benefits"].values():
        for key, step in benefit.items():
            if key != "confounded":
                assert f"{100 * step['metrics']['accuracy']['mean_delta']:+.2f}" in readme


@pytest.mark.parametrize("change", ["change-train-labels", "change-test-labels", "change-feeder-calibration"])
def test_the_expected_verdicts_leave_out_nothing_that_lies_downstream(
    change: str, expected: dict[str, Any], triples: list[Triple]
) -> None:
    verdicts = expected["changes"][expected["names"][f"thing {change}"]]
    downstream = reached(verdicts["object"], dependants(triples)) - {verdicts["object"]}
    judged = verdicts["states"].keys() | verdicts["debatable"].keys()
    assert downstream - judged == set()
    touched = {iri for iri, state in verdicts["states"].items() if state in ("affected", "resolved")}
    assert touched - downstream == set()


def test_what_is_resolved_has_a_successor_that_is_not_affected(expected: dict[str, Any]) -> None:
    for verdicts in expected["changes"].values():
        resolved = {iri for iri, state in verdicts["states"].items() if state == "resolved"}
        assert resolved == verdicts["resolved_by"].keys()
        assert all(verdicts["states"][newer] == "not_affected" for newer in verdicts["resolved_by"].values())


def test_the_change_notices_speak_of_what_the_expected_answers_speak_of(expected: dict[str, Any], triples: list[Triple]) -> None:
    said = {(t.subject.value, t.object.value) for t in triples if t.predicate == HW.changedObject}
    assert said == {(iri, verdicts["object"]) for iri, verdicts in expected["changes"].items()}
    kinds = {(t.subject.value, t.object.value.rpartition("#")[2]) for t in triples if t.predicate == HW.changeKind}
    assert kinds == {(iri, verdicts["kind"]) for iri, verdicts in expected["changes"].items()}


def test_the_plan_of_the_demonstration_names_files_and_things_that_exist(expected: dict[str, Any]) -> None:
    plan = tomllib.loads((DEMO / "demo.toml").read_text(encoding="utf-8"))
    assert plan["base_iri"] == BASE
    assert {source["path"] for source in plan["sources"]} == {"mlruns", *(path.name for path in TURTLE)}
    assert {question["ask"] for question in plan["questions"]} == {"impact", "benefits"}
    assert all(question["id"] in expected["names"].values() for question in plan["questions"])
