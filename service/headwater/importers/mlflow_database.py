"""Reading MLflow's SQLite database, without MLflow (which would upgrade the file) and without writing a byte of it."""

# SQLite wants the address as text
# ruff: noqa: PTH100, PTH113, PTH202
from __future__ import annotations

import math
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote

from headwater.errors import UnreadableSource
from headwater.importers.mlflow_artifacts import models_of_history
from headwater.importers.mlflow_files import writable
from headwater.importers.mlflow_tracked import (
    DatasetInput,
    Experiment,
    LoggedModel,
    Metric,
    RegisteredModel,
    RegisteredVersion,
    Series,
    TrackedRun,
    TrackedStore,
)
from headwater.importers.protocol import Source
from headwater.records.draft import Failure, Finding

NEEDED_TABLES = frozenset({"experiments", "runs", "metrics", "params", "tags"})
"""The tables by which a database is recognised as MLflow's; they are there since its first version."""

_MODEL_STATUS = {"1": "pending", "2": "ready", "3": "upload-failed"}
_INFINITE = 1.7976931348623157e308
"""MLflow writes an infinite value as the largest double, and not-a-number as 0 with `is_nan`."""

# The tables are read side by side in the order of the run, because older databases have no index on run_uuid in them: a query
# for each run would read each table once a run. Missing tables and columns (MLflow 1 to 3 differ) count as empty.
_BY_RUN = {
    "params": "SELECT run_uuid AS owner, * FROM params ORDER BY run_uuid, key",
    "tags": "SELECT run_uuid AS owner, * FROM tags ORDER BY run_uuid, key",
    "metrics": "SELECT run_uuid AS owner, * FROM metrics ORDER BY run_uuid, key, timestamp, value",
    "inputs": """
        SELECT i.destination_id AS owner, i.input_uuid, d.* FROM inputs i LEFT JOIN datasets d ON d.dataset_uuid = i.source_id
        WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' ORDER BY i.destination_id, d.name, d.digest, i.input_uuid
    """,
    "links": """
        SELECT source_id AS owner, * FROM inputs WHERE source_type IN ('RUN_INPUT', 'RUN_OUTPUT')
        ORDER BY source_id, destination_type, destination_id
    """,
}


class Row(dict[str, Any]):
    """One row by column names. A column that the table lacks is the database's fault, and said so."""

    def __missing__(self, column: str) -> Any:
        raise sqlite3.DatabaseError(f"a table has no column {column}")


def tables(path: str) -> frozenset[str]:
    """The names of a database's tables. Raises `sqlite3.Error` where it is none."""
    with closing(_connect(path)) as connection:
        return frozenset(row["name"] for row in _rows(connection, "SELECT name FROM sqlite_master WHERE type = 'table'"))


def count_drafts(path: str) -> int:
    """How many experiments, registered models and runs there are."""
    with closing(_connect(path)) as connection:
        total = 0
        for text in ("SELECT count(*) AS n FROM experiments", "SELECT count(*) AS n FROM runs"):
            total += sum(int(row["n"]) for row in _rows(connection, text))
        if "registered_models" in tables(path):
            total += sum(int(row["n"]) for row in _rows(connection, "SELECT count(*) AS n FROM registered_models"))
        return total


def open_database(source: Source) -> TrackedStore:
    """The store in a database. Raises `UnreadableSource` where the file is none, is damaged, or is larger than allowed."""
    path = str(source.path)
    size = os.path.getsize(path)
    if size > source.max_bytes:
        raise UnreadableSource(
            f"{source.name} has {size} bytes; {source.max_bytes} may be read", remedy="Raise max_upload_mb in headwater.toml."
        )
    connection = _connect(path)
    try:
        return _Reader(connection, path, source.name).store()
    except UnreadableSource:
        connection.close()
        raise
    except sqlite3.Error as error:
        connection.close()
        raise UnreadableSource(
            f"{source.name} cannot be read as an MLflow database: {error}",
            remedy="Check it with: sqlite3 FILE 'PRAGMA integrity_check'; what its '.recover' saves can be imported.",
        ) from error


def _connect(path: str) -> sqlite3.Connection:
    # immutable: SQLite then writes no journal beside the file either; the price is that changes in a -wal file are not seen.
    address = "file:" + quote(os.path.abspath(path).replace(os.sep, "/")) + "?mode=ro&immutable=1"
    connection = sqlite3.connect(address, uri=True, check_same_thread=False)
    connection.text_factory = _text
    return connection


def _text(raw: bytes) -> str:
    return writable(str(raw, "utf-8", "replace"))


def _rows(connection: sqlite3.Connection, text: str) -> Iterator[Row]:
    try:
        cursor = connection.execute(text)
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield Row(zip(names, row, strict=True))
    except UnicodeDecodeError as error:  # sqlite3 meets bytes that are no text in the names of a damaged schema
        raise sqlite3.DatabaseError("the names in its schema are no text") from error


class _Beside:
    """The rows of one table that belong to the run now read; runs and rows come in the same order."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def of(self, owner: str) -> Iterator[Row]:
        """The rows of `owner`; those of owners that no run has are passed over."""
        while self._next is not None and str(self._next["owner"]) < owner:
            self._next = next(self._rows, None)
        while self._next is not None and str(self._next["owner"]) == owner:
            yield self._next
            self._next = next(self._rows, None)


class _Reader:
    def __init__(self, connection: sqlite3.Connection, path: str, name: str) -> None:
        self._connection = connection
        self._path = path
        self._name = name
        self._present = tables(path)
        missing = NEEDED_TABLES - self._present
        if missing:
            raise UnreadableSource(f"{name} is no MLflow database: it has no table {' and no '.join(sorted(missing))}")

    def _read(self, table: str, text: str) -> Iterator[Row]:
        return _rows(self._connection, text) if table in self._present else iter(())

    def _tags(self, table: str, text: str, *owner: str) -> dict[tuple[str, ...], dict[str, str]]:
        found: dict[tuple[str, ...], dict[str, str]] = {}
        for row in self._read(table, text):
            key = row.get("key", row.get("tag_key", row.get("param_key", row.get("name"))))
            value = row.get("value", row.get("tag_value", row.get("param_value")))
            found.setdefault(tuple(str(row[column]) for column in owner), {})[str(key)] = "" if value is None else str(value)
        return found

    def store(self) -> TrackedStore:
        experiments = self._experiments()
        run_ids = frozenset(str(row["run_uuid"]) for row in self._read("runs", "SELECT run_uuid FROM runs"))
        return TrackedStore(
            name=self._name,
            experiments=experiments,
            registered=self._registry(),
            models=self._logged_models(experiments),
            run_ids=run_ids,
            runs=self._runs({e.experiment_id: e for e in experiments}),
            close=self._connection.close,
        )

    def _experiments(self) -> list[Experiment]:
        tags = self._tags("experiment_tags", "SELECT * FROM experiment_tags ORDER BY experiment_id, key", "experiment_id")
        found = []
        for row in self._read("experiments", "SELECT * FROM experiments ORDER BY experiment_id"):
            key = str(row["experiment_id"])
            found.append(
                Experiment(
                    experiment_id=key,
                    where=f"{self._name}#experiments/{key}",
                    name=_string(row.get("name")),
                    location=_string(row.get("artifact_location")),
                    created=_string(row.get("creation_time")),
                    deleted=row.get("lifecycle_stage") == "deleted",
                    tags=tags.get((key,), {}),
                )
            )
        if found:
            found[0].findings.extend(self._left_out())
        return found

    def _left_out(self) -> list[Finding]:
        findings = []
        for table, text in (
            ("trace_info", "SELECT count(*) AS n FROM trace_info"),
            ("evaluation_datasets", "SELECT count(*) AS n FROM evaluation_datasets"),
            ("assessments", "SELECT count(*) AS n FROM assessments"),
        ):
            count = sum(int(row["n"]) for row in self._read(table, text))
            if count:
                findings.append(Finding("unmapped", "traces", f"{count} rows of {table} are not read", f"{self._name}#{table}"))
        wal = f"{self._path}-wal"
        if os.path.isfile(wal) and os.path.getsize(wal):
            what = (
                "changes that SQLite has not merged into the database yet are not seen; close the MLflow server and import again"
            )
            findings.append(Finding("missing", "unmerged-changes", what, f"{self._name}-wal"))
        return findings

    def _runs(self, experiments: dict[str, Experiment]) -> Iterator[TrackedRun | Failure]:
        run_id = ""
        try:
            beside = {name: _Beside(self._read(name if name != "links" else "inputs", text)) for name, text in _BY_RUN.items()}
            context = self._tags("input_tags", "SELECT * FROM input_tags ORDER BY input_uuid, name", "input_uuid")
            for row in self._read("runs", "SELECT * FROM runs ORDER BY run_uuid"):
                run_id = str(row["run_uuid"])
                yield self._run(row, experiments, beside, context)
        except sqlite3.Error as error:
            after = f" after run {run_id}" if run_id else ""
            yield Failure(f"{self._name}#runs", f"the database is damaged{after}: {error}; the runs behind it were not read")

    def _run(
        self,
        row: Row,
        experiments: dict[str, Experiment],
        beside: dict[str, _Beside],
        context: dict[tuple[str, ...], dict[str, str]],
    ) -> TrackedRun:
        run_id = str(row["run_uuid"])
        experiment = experiments.get(str(row.get("experiment_id")))
        run = TrackedRun(
            run_id=run_id,
            where=f"{self._name}#runs/{run_id}",
            experiment_id=str(row.get("experiment_id")),
            name=_string(row.get("name")),
            status=(_string(row.get("status")) or "").lower() or None,
            start=_string(row.get("start_time")),
            end=_string(row.get("end_time")),
            user=_string(row.get("user_id")),
            artifact_uri=_string(row.get("artifact_uri")),
            entry_point=_string(row.get("entry_point_name")),
            deleted=row.get("lifecycle_stage") == "deleted" or (experiment is not None and experiment.deleted),
        )
        run.params = {str(p["key"]): str(p["value"]) for p in beside["params"].of(run_id)}
        run.tags = {str(t["key"]): "" if t["value"] is None else str(t["value"]) for t in beside["tags"].of(run_id)}
        run.metrics = _metrics(beside["metrics"].of(run_id), run)
        for item in beside["inputs"].of(run_id):
            if not item.get("name") or not item.get("digest"):
                run.findings.append(
                    Finding("missing", "absent-dataset", "an input names a data set that is not there", run.where)
                )
                continue
            tags = dict(context.get((str(item["input_uuid"]),), {}))
            run.datasets.append(
                DatasetInput(
                    name=str(item["name"]),
                    digest=str(item["digest"]),
                    context=tags.pop("mlflow.data.context", None),
                    source_type=_string(item.get("dataset_source_type")),
                    source=_string(item.get("dataset_source")),
                    schema=_string(item.get("dataset_schema")),
                    profile=_string(item.get("dataset_profile")),
                    tags=tuple(sorted(tags.items())),
                )
            )
        for link in beside["links"].of(run_id):
            step = link.get("step")
            if link["destination_type"] == "MODEL_OUTPUT":
                run.model_outputs.append((str(link["destination_id"]), step if isinstance(step, int) else None))
            elif link["destination_type"] == "MODEL_INPUT":
                run.model_inputs.append(str(link["destination_id"]))
            else:
                what = f"a link of kind {link['destination_type']!r}"
                run.findings.append(Finding("unmapped", "output-kind", what, run.where))
        run.packaged = models_of_history(run, [])
        return run

    def _logged_models(self, experiments: list[Experiment]) -> dict[str, LoggedModel]:
        tags = self._tags("logged_model_tags", "SELECT * FROM logged_model_tags ORDER BY model_id, tag_key", "model_id")
        params = self._tags("logged_model_params", "SELECT * FROM logged_model_params ORDER BY model_id, param_key", "model_id")
        deleted = {experiment.experiment_id for experiment in experiments if experiment.deleted}
        found: dict[str, LoggedModel] = {}
        for row in self._read("logged_models", "SELECT * FROM logged_models ORDER BY model_id"):
            key = str(row["model_id"])
            found[key] = LoggedModel(
                model_id=key,
                where=f"{self._name}#logged_models/{key}",
                name=_string(row.get("name")),
                experiment_id=_string(row.get("experiment_id")),
                source_run_id=_string(row.get("source_run_id")),
                status=_MODEL_STATUS.get(str(row.get("status")), _string(row.get("status"))),
                model_type=_string(row.get("model_type")),
                created=_string(row.get("creation_timestamp_ms")),
                location=_string(row.get("artifact_location")),
                deleted=row.get("lifecycle_stage") == "deleted" or str(row.get("experiment_id")) in deleted,
                params=params.get((key,), {}),
                tags=tags.get((key,), {}),
            )
        series: dict[tuple[Any, ...], Series] = {}
        text = "SELECT * FROM logged_model_metrics ORDER BY model_id, metric_name, metric_step, metric_timestamp_ms, run_id"
        for row in self._read("logged_model_metrics", text):
            name, digest, value = row.get("dataset_name"), row.get("dataset_digest"), row["metric_value"]
            dataset = (str(name), str(digest)) if name and digest else None
            if str(row["model_id"]) not in found or not isinstance(value, float | int):
                continue
            where = (str(row["model_id"]), str(row["metric_name"]), str(row["run_id"]), dataset)
            series.setdefault(where, Series()).add(row["metric_step"], _value(value, False), row["metric_timestamp_ms"])
        for (key, name, run_id, dataset), points in series.items():
            found[key].metrics.append(Metric(name, points.in_order(), run_id, dataset))
        return found

    def _registry(self) -> list[RegisteredModel]:
        tags = self._tags("registered_model_tags", "SELECT * FROM registered_model_tags ORDER BY name, key", "name")
        version_tags = self._tags(
            "model_version_tags", "SELECT * FROM model_version_tags ORDER BY name, version, key", "name", "version"
        )
        aliases: dict[tuple[str, str], list[str]] = {}
        for row in self._read("registered_model_aliases", "SELECT * FROM registered_model_aliases ORDER BY name, alias"):
            aliases.setdefault((str(row["name"]), str(row["version"])), []).append(str(row["alias"]))
        found: dict[str, RegisteredModel] = {}
        for row in self._read("registered_models", "SELECT * FROM registered_models ORDER BY name"):
            name = str(row["name"])
            found[name] = RegisteredModel(
                name=name,
                where=f"{self._name}#registered_models/{name}",
                description=_string(row.get("description")),
                created=_string(row.get("creation_time")),
                tags=tags.get((name,), {}),
            )
        for row in self._read("model_versions", "SELECT * FROM model_versions ORDER BY name, version"):
            name, number = str(row["name"]), str(row["version"])
            if name not in found or not number.isdecimal():
                continue
            found[name].versions.append(
                RegisteredVersion(
                    version=int(number),
                    where=f"{self._name}#model_versions/{name}/{number}",
                    run_id=_string(row.get("run_id")),
                    source=_string(row.get("source")) or _string(row.get("storage_location")),
                    stage=_string(row.get("current_stage")),
                    status=_string(row.get("status")),
                    description=_string(row.get("description")),
                    created=_string(row.get("creation_time")),
                    user=_string(row.get("user_id")),
                    aliases=aliases.get((name, number), []),
                    tags=version_tags.get((name, number), {}),
                )
            )
        return list(found.values())


def _metrics(rows: Iterator[Row], run: TrackedRun) -> list[Metric]:
    found: dict[str, Metric] = {}
    bad = 0
    for row in rows:
        name = str(row["key"])
        metric = found.setdefault(name, Metric(name, Series(), run.run_id))
        try:
            metric.series.add(
                int(row.get("step") or 0), _value(float(row["value"]), bool(row.get("is_nan"))), int(row["timestamp"])
            )
        except (TypeError, ValueError, OverflowError):
            bad += 1
    if bad:
        run.findings.append(Finding("failed", "garbage-line", f"{bad} rows of the table metrics are no numbers", run.where))
    return [metric for metric in found.values() if metric.series]


def _value(value: float, is_nan: bool) -> float:
    if is_nan:
        return math.nan
    return math.copysign(math.inf, value) if abs(value) >= _INFINITE else float(value)


def _string(value: object) -> str | None:
    return None if value is None or value == "" else str(value)
