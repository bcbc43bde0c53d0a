"""Importing what MLflow tracked: a folder `mlruns/` or an SQLite database, each run as one record.

What people can say by tags where MLflow has no field for it (roles, data sets written, revisions) is in `mlflow_conventions`;
which parameters are taken to name inputs is in `mlflow_parameters`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator

from headwater.errors import UnreadableSource
from headwater.importers import mlflow_database, mlflow_folder
from headwater.importers.mlflow_facts import RunWriter
from headwater.importers.mlflow_models import experiment_draft, orphan_draft, registered_draft
from headwater.importers.mlflow_names import Names
from headwater.importers.mlflow_tracked import TrackedRun, TrackedStore
from headwater.importers.protocol import Sniff, Source
from headwater.records.draft import Draft, Failure
from headwater.terms.minting import Mint

_SQLITE = b"SQLite format 3\x00"


class MLflowImporter:
    """Reads MLflow 1 to 3, without the library and without changing the source.

    >>> MLflowImporter().name
    'mlflow'
    """

    name = "mlflow"
    version = "1"
    title = "MLflow tracking folder or SQLite database"
    evidence = "observed"

    def sniff(self, source: Source) -> Sniff | None:
        """Folders are known by the meta.yaml of an experiment or a run, databases by their tables."""
        if source.path.is_dir():
            place = mlflow_folder.layout(str(source.path))
            if place is None:
                return None
            if place.run is not None:
                return Sniff(0.9, "the folder of an MLflow run: its meta.yaml has a run_id")
            if place.experiment is not None:
                return Sniff(0.9, "the folder of an MLflow experiment: its meta.yaml has an experiment_id")
            if place.root == os.path.abspath(source.path):  # noqa: PTH100
                return Sniff(0.95, "an MLflow tracking folder: folders in it have the meta.yaml of an experiment")
            return Sniff(0.9, "a folder with an MLflow tracking folder mlruns in it")
        if not _is_sqlite(source):
            return None
        try:
            present = mlflow_database.tables(str(source.path))
        except sqlite3.Error:
            return None
        if present >= mlflow_database.NEEDED_TABLES:
            return Sniff(0.95, "an SQLite database with MLflow's tables experiments, runs and metrics")
        return None

    def size(self, source: Source) -> int | None:
        """Experiments, registered models and runs, counted without reading them; None where there is no store."""
        if source.path.is_dir():
            place = mlflow_folder.layout(str(source.path))
            return None if place is None else mlflow_folder.count_drafts(place)
        try:
            return mlflow_database.count_drafts(str(source.path)) if _is_sqlite(source) else None
        except sqlite3.Error:
            return None

    def read(self, source: Source, mint: Mint) -> Iterator[Draft | Failure]:
        """One record for each experiment, registered model and run, and for each logged model whose run is not there.

        Raises `UnreadableSource` where the source holds no MLflow store at all.
        """
        yield from drafts(open_store(source), mint)


def open_store(source: Source) -> TrackedStore:
    """What MLflow tracked in a folder or database. Raises `UnreadableSource` where there is no such thing."""
    if source.path.is_dir():
        return mlflow_folder.open_folder(source)
    if _is_sqlite(source):
        return mlflow_database.open_database(source)
    raise UnreadableSource(
        f"{source.name} is neither an MLflow tracking folder nor an SQLite database",
        remedy="Name the folder mlruns (or the one it stands in), or the file mlflow.db.",
    )


def drafts(store: TrackedStore, mint: Mint) -> Iterator[Draft | Failure]:
    """The records of a store: what is few first, then the runs one by one as they are read. Closes the store at the end."""
    try:
        yield from store.failures
        names = Names(store)
        for experiment in store.experiments:
            yield experiment_draft(experiment, mint)
        for registered in store.registered:
            yield registered_draft(registered, store, names, mint)
        writer = RunWriter(store, names, mint)
        for run in store.runs:
            yield writer.draft(run) if isinstance(run, TrackedRun) else run
        for model in store.models.values():
            if model.source_run_id not in store.run_ids:
                yield orphan_draft(model, store, names, mint)
    finally:
        store.close()


def _is_sqlite(source: Source) -> bool:
    try:
        if not source.path.is_file():
            return False
        with source.path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False
