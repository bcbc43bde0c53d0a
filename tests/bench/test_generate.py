"""The make-believe research landscape is the same for the same seed, shaped like a real one, and written as real tools write."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest
import yaml
from pyoxigraph import NamedNode, RdfFormat, Store, parse

from bench.generate import main
from bench.world import World, make_world
from bench.write_mlflow import write_mlflow
from bench.write_rdf import documents, write_ntriples, write_turtle

PROV = "http://www.w3.org/ns/prov#"
HW = "https://w3id.org/headwater/terms#"


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(400, seed=3)


@pytest.fixture(scope="module")
def folder(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tracking") / "mlruns"
    write_mlflow(world, root)
    return root


class TestTheWorld:
    @pytest.mark.parametrize("runs", [1, 2, 37, 400])
    def test_has_as_many_runs_as_asked_for(self, runs: int) -> None:
        assert len(make_world(runs, seed=5).runs) == runs

    def test_differs_between_seeds(self, world: World) -> None:
        assert make_world(400, seed=3) == world
        assert make_world(400, seed=4) != world

    def test_needs_at_least_one_run(self) -> None:
        with pytest.raises(ValueError, match="at least one run"):
            make_world(0)

    def test_nothing_is_used_before_it_exists(self, world: World) -> None:
        made_at = {number: run.end for run in world.runs for number in run.makes}
        order = {run.thing: place for place, run in enumerate(world.runs)}
        maker = {number: run.thing for run in world.runs for number in run.makes}
        for run in world.runs:
            for number, _ in run.uses:
                assert number not in made_at or order[maker[number]] < order[run.thing]

    def test_a_few_data_sets_are_used_by_many_and_most_by_few(self, world: World) -> None:
        uses = Counter(number for run in world.runs for number, _ in run.uses if world.things[number].kind == "dataset")
        counts = sorted(uses.values())
        assert counts[-1] >= 10 * counts[len(counts) // 2]

    def test_has_every_kind_of_story_that_the_questions_need(self, world: World) -> None:
        assert {"dataset", "model", "run", "software", "environment", "publication", "instrument", "deployment"} == {
            thing.kind for thing in world.things
        }
        assert any(run.failed for run in world.runs)
        assert {"labels-corrected", "records-added", "bug-found"} <= {change.kind for change in world.changes}
        assert {"train", "test", "finetune", "predict", "preprocess", "calibrate", "execute"} <= {
            role for run in world.runs for _, role in run.uses
        }

    def test_failed_runs_leave_nothing_behind(self, world: World) -> None:
        assert not [run for run in world.runs if run.failed and (run.makes or run.metrics)]

    def test_a_large_enough_one_holds_a_cycle(self) -> None:
        world = make_world(3000, seed=1)
        upstream: dict[int, list[int]] = defaultdict(list)
        for link in world.links():
            upstream[link.source].append(link.target)
        steered = [link.source for link in world.plain if link.relation == "controls"]
        assert steered
        seen: set[int] = set()
        todo = [target for start in steered for target in upstream[start]]
        while todo:
            number = todo.pop()
            if number not in seen:
                seen.add(number)
                todo.extend(upstream[number])
        assert seen & set(steered)


class TestTheRdf:
    def test_one_big_file_and_many_documents_say_the_same(self, world: World, tmp_path: Path) -> None:
        count = write_ntriples(world, tmp_path / "all.nt")
        assert write_turtle(world, tmp_path / "ttl") == count
        big = {str(triple) for triple in parse(path=str(tmp_path / "all.nt"), format=RdfFormat.N_TRIPLES)}
        many = {str(t) for path in (tmp_path / "ttl").rglob("*.ttl") for t in parse(path=str(path), format=RdfFormat.TURTLE)}
        assert big == many
        assert len(big) == count
        assert len(list((tmp_path / "ttl").rglob("*.ttl"))) == sum(1 for _ in documents(world))

    def test_holds_each_link_of_the_world(self, world: World, tmp_path: Path) -> None:
        write_ntriples(world, tmp_path / "all.nt")
        store = Store()
        store.bulk_load(path=str(tmp_path / "all.nt"), format=RdfFormat.N_TRIPLES)
        links = list(world.links())
        for relation in ("used", "wasGeneratedBy", "wasRevisionOf"):
            expected = len({(link.source, link.target) for link in links if link.relation == relation})
            assert sum(1 for _ in store.quads_for_pattern(None, NamedNode(PROV + relation), None)) == expected, relation
        for relation in ("documents", "cites", "deploys", "controls"):
            expected = len({(link.source, link.target) for link in links if link.relation == relation})
            assert sum(1 for _ in store.quads_for_pattern(None, NamedNode(HW + relation), None)) == expected, relation


class TestTheTrackingFolder:
    def test_has_a_folder_for_each_run_with_the_keys_that_mlflow_writes(self, world: World, folder: Path) -> None:
        runs = [path for path in folder.glob("*/*/meta.yaml") if len(path.parent.name) == 32]
        assert len(runs) == len(world.runs)
        keys = set(yaml.safe_load(runs[0].read_text()))
        assert {"artifact_uri", "end_time", "experiment_id", "run_id", "run_name", "start_time", "status", "user_id"} <= keys

    def test_each_input_names_a_data_set_or_model_that_is_there(self, folder: Path) -> None:
        inputs = list(folder.glob("*/*/inputs/*/meta.yaml"))
        assert inputs
        models = {path.parent.name for path in folder.glob("*/models/*/meta.yaml")}
        for path in inputs:
            meta = yaml.safe_load(path.read_text())
            if meta["source_type"] == "MODEL":
                assert meta["source_id"] in models
            else:
                assert (path.parents[3] / "datasets" / meta["source_id"] / "meta.yaml").is_file()
                assert meta["tags"]["mlflow.data.context"] in {"training", "testing", "preprocessing", "prediction"}

    def test_each_output_names_a_logged_model_of_that_run(self, folder: Path) -> None:
        outputs = list(folder.glob("*/*/outputs/*/meta.yaml"))
        assert outputs
        for path in outputs:
            model = yaml.safe_load((path.parents[3] / "models" / path.parent.name / "meta.yaml").read_text())
            assert model["source_run_id"] == path.parents[2].name

    def test_metric_lines_have_time_value_and_step(self, folder: Path) -> None:
        lines = [line for path in folder.glob("*/*/metrics/*") for line in path.read_text().splitlines()]
        assert lines
        for line in lines:
            at, value, step = line.split(" ")[:3]
            assert int(at) > 0
            assert float(value) < 2
            assert int(step) >= 0


def test_the_command_refuses_to_write_where_something_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "all.nt"
    assert main(["--runs", "20", "--ntriples", str(target)]) == 0
    assert "statements" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stopped:
        main(["--runs", "20", "--ntriples", str(target)])
    assert stopped.value.code == 2
    assert "already there" in capsys.readouterr().err
