"""Writes the runs of a make-believe world as a tracking folder, laid out file by file as MLflow 3 lays out its own.

The layout was read off folders that MLflow 3 wrote: an experiment for each project, data sets as inputs with a context, logged
models as outputs and as inputs of what was fine-tuned, parameters and tags one value to a file, metrics as lines of time, value
and step.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from bench.world import BEGIN_MS, Run, Thing, World

CONTEXTS = {
    "train": "training",
    "test": "testing",
    "validate": "validation",
    "preprocess": "preprocessing",
    "predict": "prediction",
}
FINISHED, FAILED = 3, 4


def dump(path: Path, values: dict[str, Any]) -> None:
    """A `meta.yaml`, spelled as MLflow spells it (keys in order, one to a line)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    path.write_text(yaml.dump(values, Dumper=dumper, default_flow_style=False, allow_unicode=True), encoding="utf-8")


def write_values(folder: Path, values: dict[str, str]) -> None:
    """One value to a file, without a line end, as parameters and tags are."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in values.items():
        (folder / name).write_text(value, encoding="utf-8")


def hexadecimal(*parts: str) -> str:
    """Thirty-two hexadecimal digits that stand for `parts`, as MLflow's ids look."""
    return hashlib.md5("/".join(parts).encode(), usedforsecurity=False).hexdigest()


class TrackingFolder:
    """A `mlruns` folder in the making."""

    def __init__(self, world: World, root: Path) -> None:
        self.world = world
        self.root = root
        self._described: set[tuple[int, int]] = set()

    def experiment_id(self, project: int) -> str:
        """Eighteen digits, as MLflow draws them."""
        return str(100_000_000_000_000_000 + int(hexadecimal("project", str(project))[:12], 16))

    def place(self, *parts: str) -> str:
        """Where MLflow would say that artifacts lie; nothing is there."""
        return "/".join(["mlflow-artifacts:", *parts])

    def model_id(self, number: int) -> str:
        return "m-" + hexadecimal("model", str(number))

    def run_id(self, number: int) -> str:
        return hexadecimal("run", str(number))

    def write(self) -> int:
        """Write everything; returns the number of runs written."""
        for project in range(self.world.projects):
            self.write_experiment(project)
        for run in self.world.runs:
            self.write_run(run)
        self.write_registry()
        return len(self.world.runs)

    def write_experiment(self, project: int) -> None:
        identifier = self.experiment_id(project)
        meta = {
            "artifact_location": self.place(identifier),
            "creation_time": BEGIN_MS,
            "experiment_id": identifier,
            "last_update_time": BEGIN_MS,
            "lifecycle_stage": "active",
            "name": f"project-{project}",
        }
        dump(self.root / identifier / "meta.yaml", meta)

    def write_run(self, run: Run) -> None:
        experiment, identifier = self.experiment_id(run.project), self.run_id(run.thing)
        folder = self.root / experiment / identifier
        meta = {
            "artifact_uri": self.place(experiment, identifier, "artifacts"),
            "end_time": run.end,
            "entry_point_name": "",
            "experiment_id": experiment,
            "lifecycle_stage": "active",
            "run_id": identifier,
            "run_name": self.world.things[run.thing].label,
            "source_name": "",
            "source_type": 4,
            "source_version": "",
            "start_time": run.start,
            "status": FAILED if run.failed else FINISHED,
            "tags": [],
            "user_id": run.user,
        }
        dump(folder / "meta.yaml", meta)
        tags = {
            "mlflow.runName": self.world.things[run.thing].label,
            "mlflow.source.git.commit": run.commit,
            "mlflow.source.name": f"{run.activity}.py",
            "mlflow.source.type": "LOCAL",
            "mlflow.user": run.user,
        }
        write_values(folder / "tags", tags)
        write_values(folder / "params", run.settings)
        self.write_metrics(folder / "metrics", run)
        for number, role in run.uses:
            self.write_input(folder, run, self.world.things[number], role)
        for number in run.makes:
            if self.world.things[number].kind == "model":
                self.write_model(folder, run, self.world.things[number])

    def write_metrics(self, folder: Path, run: Run, suffix: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, values in run.metrics.items():
            stride = max(1, (run.end - run.start) // len(values))
            lines = [f"{run.start + stride * step} {value!r} {step}{suffix}\n" for step, value in enumerate(values)]
            (folder / name).write_text("".join(lines))

    def write_input(self, folder: Path, run: Run, used: Thing, role: str) -> None:
        """A data set or model that the run read; MLflow has no place for programs and environments but tags and artifacts."""
        if used.kind == "dataset":
            identifier, kind, tags = hexadecimal("dataset", used.key), "DATASET", {"mlflow.data.context": CONTEXTS[role]}
            self.describe_data(run.project, used, identifier)
        elif used.kind == "model":
            identifier, kind, tags = self.model_id(used.number), "MODEL", {}
        else:
            return
        meta = {
            "destination_id": identifier,
            "destination_type": "RUN",
            "source_id": identifier,
            "source_type": kind,
            "tags": tags,
        }
        dump(folder / "inputs" / hexadecimal(identifier, self.run_id(run.thing)) / "meta.yaml", meta)

    def describe_data(self, project: int, data: Thing, identifier: str) -> None:
        """The description of a data set, once in each experiment that uses it."""
        if (project, data.number) in self._described:
            return
        self._described.add((project, data.number))
        meta = {
            "digest": data.digest()[:8],
            "name": data.concept,
            "profile": json.dumps({"num_rows": 1000 + data.number}),
            "schema": None,
            "source": json.dumps({"uri": f"s3://bench/{data.key}.parquet"}),
            "source_type": "s3",
        }
        dump(self.root / self.experiment_id(project) / "datasets" / identifier / "meta.yaml", meta)

    def write_model(self, folder: Path, run: Run, model: Thing) -> None:
        """A logged model, and the run's output link to it."""
        experiment, identifier = self.experiment_id(run.project), self.model_id(model.number)
        link = {
            "destination_id": identifier,
            "destination_type": "MODEL_OUTPUT",
            "source_id": identifier,
            "source_type": "RUN_OUTPUT",
            "step": 0,
            "tags": {},
        }
        dump(folder / "outputs" / identifier / "meta.yaml", link)
        logged = {
            "artifact_location": self.place(experiment, "models", identifier, "artifacts"),
            "creation_timestamp": run.end,
            "experiment_id": experiment,
            "last_updated_timestamp": run.end,
            "model_id": identifier,
            "model_type": None,
            "name": model.label,
            "source_run_id": self.run_id(run.thing),
            "status": 2,
            "status_message": None,
        }
        home = self.root / experiment / "models" / identifier
        dump(home / "meta.yaml", logged)
        write_values(home / "params", run.settings)
        write_values(home / "tags", {"mlflow.user": run.user})
        self.write_metrics(home / "metrics", run, suffix=f" {self.run_id(run.thing)}")

    def write_registry(self) -> None:
        """A registered model for each project, with every tenth of its models as a version."""
        versions: dict[int, int] = {}
        for run in self.world.runs:
            for number in run.makes:
                model = self.world.things[number]
                if model.kind != "model" or number % 10:
                    continue
                name = f"classifier {run.project}"
                version = versions[run.project] = versions.get(run.project, 0) + 1
                home = self.root / "models" / name
                if version == 1:
                    dump(
                        home / "meta.yaml",
                        {"creation_timestamp": run.end, "description": None, "last_updated_timestamp": run.end, "name": name},
                    )
                meta = {
                    "creation_timestamp": run.end,
                    "current_stage": "None",
                    "description": None,
                    "last_updated_timestamp": run.end,
                    "model_id": self.model_id(number),
                    "name": name,
                    "run_id": self.run_id(run.thing),
                    "run_link": None,
                    "source": self.place(self.experiment_id(run.project), "models", self.model_id(number), "artifacts"),
                    "status": "READY",
                    "status_message": None,
                    "user_id": None,
                    "version": version,
                }
                dump(home / f"version-{version}" / "meta.yaml", meta)


def write_mlflow(world: World, root: Path) -> int:
    """The world's runs as a `mlruns` folder at `root`; returns how many runs."""
    return TrackingFolder(world, root).write()
