"""What stands beside a logged model in a run's artifacts: the `MLmodel` file and the files that name its environment."""

from __future__ import annotations

import json
import os
from typing import Any

from headwater.importers.mlflow_files import Broken, Folder, parse_mapping, text_of, writable
from headwater.importers.mlflow_tracked import Environment, PackagedModel, TrackedRun
from headwater.records.draft import Finding

_ENVIRONMENT_FILES = ("conda.yaml", "python_env.yaml", "requirements.txt")
_DEEPEST = 3
_HISTORY = "mlflow.log-model.history"


def packaged_models(folder: Folder, artifacts: str, findings: list[Finding]) -> list[PackagedModel]:
    """The models in a run's own artifacts folder: each folder that has an `MLmodel`, up to three levels down."""
    found: list[PackagedModel] = []
    _walk(folder, artifacts, "", findings, found, 0)
    return found


def _walk(folder: Folder, path: str, name: str, findings: list[Finding], found: list[PackagedModel], depth: int) -> None:
    inner = []
    for entry in folder.entries(path, findings):
        if entry.name == "MLmodel":
            model = packaged_model(folder, path, name, findings)
            if model is not None:
                found.append(model)
            return
        if depth < _DEEPEST and entry.is_dir() and not entry.is_symlink():
            inner.append(entry)
    for entry in inner:
        _walk(folder, entry.path, f"{name}/{writable(entry.name)}".lstrip("/"), findings, found, depth + 1)


def packaged_model(folder: Folder, path: str, name: str, findings: list[Finding]) -> PackagedModel | None:
    """The model in one folder; None where there is no `MLmodel`. A damaged one is reported and still counts as a model."""
    present = {entry.name: entry for entry in folder.entries(path, findings) if entry.is_file()}
    if "MLmodel" not in present:
        return None
    meta: dict[str, Any] = {}
    try:
        meta = parse_mapping(folder.content(present["MLmodel"].path))
    except Broken as error:
        line = "" if error.line is None else f":{error.line}"
        where = folder.where(f"{path}{os.sep}MLmodel") + line
        findings.append(Finding("failed", "unreadable-MLmodel", f"the MLmodel file {error.message}", where))
    flavors = meta.get("flavors")
    python = None
    if isinstance(flavors, dict) and isinstance(flavors.get("python_function"), dict):
        python = text_of(flavors["python_function"].get("python_version"))
    texts = [(file, folder.text(present[file].path, findings)) for file in _ENVIRONMENT_FILES if file in present]
    files = tuple((file, text) for file, text in texts if text)
    return PackagedModel(
        path=name or text_of(meta.get("artifact_path")) or "",
        flavors=_flavors(flavors),
        model_id=text_of(meta.get("model_id")),
        environment=Environment(files, python, text_of(meta.get("mlflow_version"))) if files else None,
    )


def models_of_history(run: TrackedRun, packaged: list[PackagedModel]) -> list[PackagedModel]:
    """The models that the run's tag `mlflow.log-model.history` tells of, joined with those found in its artifacts, by path."""
    text = run.tags.get(_HISTORY)
    if text is None:
        return packaged
    models = {model.path: model for model in packaged}
    try:
        history = json.loads(text)
        if not isinstance(history, list):
            raise ValueError("not a list")
    except (ValueError, RecursionError) as error:
        run.findings.append(
            Finding("failed", "unreadable-model-history", f"the tag is not JSON: {error}", f"{run.where}/tags/{_HISTORY}")
        )
        return packaged
    for item in history:
        if not isinstance(item, dict) or not isinstance(item.get("artifact_path"), str):
            run.findings.append(
                Finding("unmapped", "model-history", "an entry without artifact_path", f"{run.where}/tags/{_HISTORY}")
            )
            continue
        path = writable(item["artifact_path"])
        told = models.setdefault(path, PackagedModel(path))
        told.flavors = told.flavors or _flavors(item.get("flavors"))
        told.model_id = told.model_id or text_of(item.get("model_id"))
    return list(models.values())


def _flavors(flavors: object) -> tuple[str, ...]:
    return tuple(sorted(writable(str(name)) for name in flavors)) if isinstance(flavors, dict) else ()
