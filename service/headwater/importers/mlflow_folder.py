"""Reading a tracking folder (`mlruns/`) as MLflow writes it, one run at a time, without MLflow and without touching it."""

# as in mlflow_files: thousands of small files, for which pathlib is slow
# ruff: noqa: PTH100, PTH112, PTH113, PTH114, PTH118, PTH119, PTH123, PTH208
from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headwater.errors import UnreadableSource
from headwater.importers.mlflow_artifacts import models_of_history, packaged_model, packaged_models
from headwater.importers.mlflow_files import Broken, Folder, file_name, lines_of, text_of
from headwater.importers.mlflow_metrics import read_metrics
from headwater.importers.mlflow_tracked import (
    DatasetInput,
    Experiment,
    LoggedModel,
    RegisteredModel,
    RegisteredVersion,
    TrackedRun,
    TrackedStore,
)
from headwater.importers.protocol import Source
from headwater.records.draft import Failure, Finding

_RESERVED = frozenset({"tags", "datasets", "models", "traces"})
"""Folders of an experiment that are no runs."""

_RUN_ID = re.compile(r"[0-9a-f]{32}")
_HEAD = 4096
_STATUS = {"1": "running", "2": "scheduled", "3": "finished", "4": "failed", "5": "killed"}
_MODEL_STATUS = {"1": "pending", "2": "ready", "3": "upload-failed"}
_RUN_NEEDS = ("experiment_id", "status", "artifact_uri")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a store lies: `root` holds the experiments; `experiment` and `run` name the one to read, if not all."""

    root: str
    experiment: str | None = None
    run: str | None = None


def layout(path: str) -> Layout | None:
    """The store at `path`: an `mlruns/` folder, a folder with one in it, an experiment's folder or a run's. None if none is."""
    path = os.path.abspath(path)
    head = _head(path)
    parent, own = os.path.split(path)
    if b"run_id:" in head or b"run_uuid:" in head:
        root, experiment = os.path.split(parent)
        return Layout(root, experiment, own)
    if b"experiment_id:" in head and (b"artifact_location:" in head or b"lifecycle_stage:" in head):
        return Layout(parent, own)
    if _holds_experiments(path):
        return Layout(path)
    inner = os.path.join(path, "mlruns")
    if _holds_experiments(inner):
        return Layout(inner)
    return None


def open_folder(source: Source) -> TrackedStore:
    """The store in a folder. Raises `UnreadableSource` where there is none.

    Experiments, registered models and logged models are read at once; `runs` as they are asked for.
    """
    path = os.path.abspath(source.path)
    place = layout(path)
    if place is None:
        raise UnreadableSource(
            f"{source.name} holds no MLflow experiment: no folder in it has a meta.yaml of one",
            remedy="Name the folder that MLflow calls mlruns (mlflow.get_tracking_uri()), or the folder it stands in.",
        )
    if place.root == path:
        shown = source.name
    elif place.experiment is None:
        shown = f"{source.name}/{os.path.basename(place.root)}"
    else:
        shown = os.path.basename(place.root) or source.name
    limit = path if place.experiment is None else place.root
    return _Reader(Folder(place.root, file_name(shown)[0], source.max_bytes, limit), place).store()


def count_drafts(place: Layout) -> int:
    """How many experiments, registered models and runs there are, by listing folders only."""
    if place.run is not None:
        return 2
    folder = Folder(place.root, "", 0)
    ignored: list[Finding] = []
    if place.experiment is not None:
        return 1 + len(_run_folders(folder, f"{place.root}{os.sep}{place.experiment}", ignored))
    experiments = _experiment_folders(folder, ignored)
    runs = sum(len(_run_folders(folder, entry.path, ignored)) for entry, _ in experiments)
    return len(experiments) + runs + len(folder.folders(f"{place.root}{os.sep}models", ignored))


class _Reader:
    def __init__(self, folder: Folder, place: Layout) -> None:
        self._folder = folder
        self._place = place
        self._failures: list[Failure] = []

    def store(self) -> TrackedStore:
        folder, place, loose = self._folder, self._place, list[Finding]()
        experiments: list[tuple[Experiment, str]] = []
        for entry, trashed in _experiment_folders(folder, loose):
            experiments.append((self._experiment(entry.path, entry.name, trashed), entry.path))
        models: dict[str, LoggedModel] = {}
        run_ids: set[str] = set()
        for experiment, path in experiments:
            for entry in folder.folders(f"{path}/models", experiment.findings):
                model = self._logged_model(entry.path, experiment)
                if model is not None:
                    models[model.model_id] = model
            run_ids.update(entry.name for entry in _run_folders(folder, path, []))
        registered = [] if place.experiment is not None else self._registry()
        if experiments:
            experiments[0][0].findings.extend(loose)
        chosen = [(e, p) for e, p in experiments if place.experiment in (None, os.path.basename(p))]
        store = TrackedStore(
            name=folder.shown,
            experiments=[experiment for experiment, _ in experiments],
            registered=registered,
            models=models,
            run_ids=frozenset(run_ids),
            runs=self._runs(chosen),
            failures=self._failures,
        )
        if place.experiment is not None:
            store.experiments = [experiment for experiment, _ in chosen]
            store.models = {i: m for i, m in models.items() if m.experiment_id in {e.experiment_id for e in store.experiments}}
        return store

    def _experiment(self, path: str, name: str, trashed: bool) -> Experiment:
        folder, findings = self._folder, list[Finding]()
        where = folder.where(path)
        meta: dict[str, Any] = {}
        file = f"{path}/meta.yaml"
        try:
            meta = folder.meta(file, findings)
        except Broken as error:
            self._failures.append(
                Failure(folder.where(file), f"the experiment's meta.yaml {error.message}; its runs were read", error.line)
            )
        if os.path.isdir(f"{path}/traces"):
            count = len(folder.folders(f"{path}/traces", findings))
            if count:
                findings.append(Finding("unmapped", "traces", f"{count} traces of calls are not read", f"{where}/traces"))
        return Experiment(
            experiment_id=text_of(meta.get("experiment_id")) or file_name(name)[0],
            where=where,
            name=text_of(meta.get("name")),
            location=text_of(meta.get("artifact_location")),
            created=text_of(meta.get("creation_time")),
            deleted=trashed or text_of(meta.get("lifecycle_stage")) == "deleted",
            tags=folder.values(f"{path}/tags", findings),
            findings=findings,
        )

    def _runs(self, experiments: list[tuple[Experiment, str]]) -> Iterator[TrackedRun | Failure]:
        seen: dict[str, str] = {}
        for experiment, path in experiments:
            datasets: dict[str, dict[str, Any]] = {}
            for entry in _run_folders(self._folder, path, []):
                if self._place.run not in (None, entry.name):
                    continue
                run = self._run(entry.path, experiment, path, datasets)
                if isinstance(run, TrackedRun):
                    if run.run_id in seen:
                        yield Failure(run.where, f"run {run.run_id} stands in {seen[run.run_id]} already; this copy was left out")
                        continue
                    seen[run.run_id] = run.where
                yield run

    def _run(
        self, path: str, experiment: Experiment, experiment_path: str, datasets: dict[str, dict[str, Any]]
    ) -> TrackedRun | Failure:
        folder, findings = self._folder, list[Finding]()
        file = f"{path}/meta.yaml"
        try:
            meta = folder.meta(file, findings)
            lacking = [key for key in _RUN_NEEDS if key not in meta]
            run_id = text_of(meta.get("run_id")) or text_of(meta.get("run_uuid"))
            if lacking or run_id is None:
                raise Broken(
                    f"is cut off or incomplete: it has no {' and no '.join(lacking or ['run_id'])}",
                    lines_of(folder.content(file)),
                )
        except Broken as error:
            return Failure(folder.where(file), f"the run's meta.yaml {error.message}", error.line)
        run = TrackedRun(
            run_id=run_id,
            where=folder.where(path),
            experiment_id=experiment.experiment_id,
            name=text_of(meta.get("run_name")) or text_of(meta.get("name")),
            status=_STATUS.get(str(meta.get("status")), text_of(meta.get("status"))),
            start=text_of(meta.get("start_time")),
            end=text_of(meta.get("end_time")),
            user=text_of(meta.get("user_id")),
            artifact_uri=text_of(meta.get("artifact_uri")),
            entry_point=text_of(meta.get("entry_point_name")),
            deleted=experiment.deleted or text_of(meta.get("lifecycle_stage")) == "deleted",
            findings=findings,
        )
        for entry in folder.entries(path, findings):
            match entry.name:
                case "params":
                    run.params = folder.values(entry.path, findings)
                case "tags":
                    run.tags = folder.values(entry.path, findings)
                case "metrics":
                    run.metrics = read_metrics(folder, entry.path, findings, run_id=run_id)
                case "inputs":
                    self._inputs(run, entry.path, experiment_path, datasets)
                case "outputs":
                    self._outputs(run, entry.path)
                case "artifacts":
                    run.packaged = packaged_models(folder, entry.path, findings)
                case "meta.yaml":
                    pass
                case _:
                    findings.append(Finding("unmapped", "unknown-file", "not part of MLflow's layout", folder.where(entry.path)))
        run.packaged = models_of_history(run, run.packaged)
        return run

    def _links(self, run: TrackedRun, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for entry in self._folder.folders(path, run.findings):
            file = f"{entry.path}/meta.yaml"
            try:
                yield entry.name, self._folder.meta(file, run.findings)
            except Broken as error:
                line = "" if error.line is None else f":{error.line}"
                where = self._folder.where(file) + line
                run.findings.append(Finding("failed", "unreadable-link", f"the meta.yaml {error.message}", where))

    def _inputs(self, run: TrackedRun, path: str, experiment_path: str, datasets: dict[str, dict[str, Any]]) -> None:
        for name, meta in self._links(run, path):
            source = text_of(meta.get("source_id")) or name
            kind = text_of(meta.get("source_type")) or ""
            where = f"{self._folder.where(path)}/{file_name(name)[0]}"
            if kind.startswith("MODEL") or kind == "RUN_INPUT":
                run.model_inputs.append(source)
            elif kind == "DATASET":
                dataset = self._dataset(source, experiment_path, datasets, run.findings)
                if dataset is None:
                    run.findings.append(
                        Finding("missing", "absent-dataset", f"data set {source} is not in the experiment", where)
                    )
                    continue
                tags = meta.get("tags")
                run.datasets.append(_dataset_input(dataset, _tags(tags)))
            else:
                run.findings.append(Finding("unmapped", "input-kind", f"an input of kind {kind or 'nothing'!r}", where))

    def _dataset(
        self, key: str, experiment_path: str, datasets: dict[str, dict[str, Any]], findings: list[Finding]
    ) -> dict[str, Any] | None:
        if key not in datasets:
            file = f"{experiment_path}/datasets/{key}/meta.yaml"
            if "/" in key or os.sep in key or key.startswith(".") or "\0" in key:
                return None
            if any(os.path.islink(f"{experiment_path}/datasets{tail}") for tail in ("", f"/{key}", f"/{key}/meta.yaml")):
                return None
            try:
                datasets[key] = self._folder.meta(file, findings)
            except Broken:
                return None
        found = datasets[key]
        return found if text_of(found.get("name")) and text_of(found.get("digest")) else None

    def _outputs(self, run: TrackedRun, path: str) -> None:
        for name, meta in self._links(run, path):
            model = text_of(meta.get("destination_id")) or name
            if text_of(meta.get("destination_type")) != "MODEL_OUTPUT":
                kind = text_of(meta.get("destination_type"))
                run.findings.append(Finding("unmapped", "output-kind", f"an output of kind {kind!r}", self._folder.where(path)))
                continue
            step = text_of(meta.get("step")) or ""
            run.model_outputs.append((model, int(step) if step.isdecimal() and len(step) < 19 else None))

    def _logged_model(self, path: str, experiment: Experiment) -> LoggedModel | None:
        folder, findings = self._folder, list[Finding]()
        file = f"{path}/meta.yaml"
        try:
            meta = folder.meta(file, findings)
        except Broken as error:
            self._failures.append(Failure(folder.where(file), f"the model's meta.yaml {error.message}", error.line))
            return None
        source_run = text_of(meta.get("source_run_id"))
        return LoggedModel(
            model_id=text_of(meta.get("model_id")) or file_name(os.path.basename(path))[0],
            where=folder.where(path),
            name=text_of(meta.get("name")),
            experiment_id=experiment.experiment_id,
            source_run_id=source_run,
            status=_MODEL_STATUS.get(str(meta.get("status")), text_of(meta.get("status"))),
            model_type=text_of(meta.get("model_type")),
            created=text_of(meta.get("creation_timestamp")),
            location=text_of(meta.get("artifact_location")),
            deleted=experiment.deleted or text_of(meta.get("lifecycle_stage")) == "deleted",
            params=folder.values(f"{path}/params", findings),
            tags=folder.values(f"{path}/tags", findings),
            metrics=read_metrics(folder, f"{path}/metrics", findings, run_id=source_run or "", of_model=True),
            packaged=packaged_model(folder, f"{path}/artifacts", "", findings),
            findings=findings,
        )

    def _registry(self) -> list[RegisteredModel]:
        folder, found = self._folder, list[RegisteredModel]()
        for entry in folder.folders(f"{self._place.root}/models", []):
            findings: list[Finding] = []
            file = f"{entry.path}/meta.yaml"
            try:
                meta = folder.meta(file, findings)
            except Broken as error:
                self._failures.append(
                    Failure(folder.where(file), f"the registered model's meta.yaml {error.message}", error.line)
                )
                continue
            model = RegisteredModel(
                name=text_of(meta.get("name")) or file_name(entry.name)[0],
                where=folder.where(entry.path),
                description=text_of(meta.get("description")),
                created=text_of(meta.get("creation_timestamp")),
                tags=folder.values(f"{entry.path}/tags", findings),
                findings=findings,
            )
            aliases = folder.values(f"{entry.path}/aliases", findings)
            for version in folder.folders(entry.path, findings):
                number = version.name.removeprefix("version-")
                if number != version.name and number.isdecimal() and len(number) < 10:
                    self._version(model, version.path, int(number), aliases)
            model.versions.sort(key=lambda v: v.version)
            found.append(model)
        return found

    def _version(self, model: RegisteredModel, path: str, number: int, aliases: dict[str, str]) -> None:
        folder, file = self._folder, f"{path}/meta.yaml"
        try:
            meta = folder.meta(file, model.findings)
        except Broken as error:
            self._failures.append(Failure(folder.where(file), f"the model version's meta.yaml {error.message}", error.line))
            return
        model.versions.append(
            RegisteredVersion(
                version=number,
                where=folder.where(path),
                run_id=text_of(meta.get("run_id")),
                model_id=text_of(meta.get("model_id")),
                source=text_of(meta.get("source")) or text_of(meta.get("storage_location")),
                stage=text_of(meta.get("current_stage")),
                status=text_of(meta.get("status")),
                description=text_of(meta.get("description")),
                created=text_of(meta.get("creation_timestamp")),
                user=text_of(meta.get("user_id")),
                aliases=sorted(alias for alias, value in aliases.items() if value.strip() == str(number)),
                tags=folder.values(f"{path}/tags", model.findings),
            )
        )


def _dataset_input(meta: dict[str, Any], tags: dict[str, str]) -> DatasetInput:
    return DatasetInput(
        name=text_of(meta.get("name")) or "",
        digest=text_of(meta.get("digest")) or "",
        context=tags.pop("mlflow.data.context", None),
        source_type=text_of(meta.get("source_type")),
        source=text_of(meta.get("source")),
        schema=text_of(meta.get("schema")),
        profile=text_of(meta.get("profile")),
        tags=tuple(sorted(tags.items())),
    )


def _tags(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {str(key): text for key, item in value.items() if (text := text_of(item)) is not None}


def _experiment_folders(folder: Folder, findings: list[Finding]) -> list[tuple[os.DirEntry[str], bool]]:
    """The experiments' folders, and whether each lies in the trash."""
    active = [(e, False) for e in folder.folders(folder.root, findings) if e.name != "models" and not e.name.startswith(".")]
    trashed = [(e, True) for e in folder.folders(f"{folder.root}{os.sep}.trash", findings)]
    return [(e, t) for e, t in active + trashed if os.path.isfile(f"{e.path}/meta.yaml") or _run_folders(folder, e.path, [])]


def _run_folders(folder: Folder, experiment: str, findings: list[Finding]) -> list[os.DirEntry[str]]:
    return [
        entry
        for entry in folder.folders(experiment, findings)
        if entry.name not in _RESERVED and (_RUN_ID.fullmatch(entry.name) or os.path.isfile(f"{entry.path}/meta.yaml"))
    ]


def _holds_experiments(path: str) -> bool:
    try:
        with os.scandir(path) as found:
            for entry in found:
                if entry.name == ".trash" and entry.is_dir() and _holds_experiments(entry.path):
                    return True
                if entry.is_dir() and entry.name != "models" and b"artifact_location:" in _head(entry.path):
                    return True
        if os.path.basename(path) != "mlruns":
            return False
        with os.scandir(path) as found:
            return any(e.is_dir() and any(_RUN_ID.fullmatch(name) for name in os.listdir(e.path)) for e in found)
    except OSError:
        return False


def _head(folder: str) -> bytes:
    file = f"{folder}/meta.yaml"
    try:
        if not os.path.isfile(file):
            return b""
        with open(file, "rb", buffering=0) as opened:
            return opened.read(_HEAD) or b""
    except OSError:
        return b""
