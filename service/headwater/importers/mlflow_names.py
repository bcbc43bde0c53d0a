"""What the things of a tracking store are called here: keys that stay the same when the folder moves or is read again."""

from __future__ import annotations

import re
from urllib.parse import unquote

from headwater.importers.mlflow_tracked import RegisteredModel, RegisteredVersion, TrackedStore
from headwater.terms.minting import short_hash, slug

MODEL_ID = re.compile(r"m-[0-9a-f]{32}")
"""The identity of a logged model of MLflow 3, wherever it stands in an address."""

_IN_RUN = re.compile(r"(?:^|[/\\:])([0-9a-f]{32})[/\\](?:artifacts[/\\])?([^?#]*)")
_REGISTERED = re.compile(r"(?:models:/+)?(?P<name>.+)/(?P<version>\d{1,9})/?")


class Names:
    """The keys of one store's things.

    A run, a logged model and a data set (name and digest) are called the same whatever store tells of them; users, scripts and
    names in parameters mean something only within their store.
    """

    def __init__(self, store: TrackedStore) -> None:
        self._store = store
        self._versions: dict[tuple[str, int], tuple[RegisteredModel, RegisteredVersion]] = {
            (model.name, version.version): (model, version) for model in store.registered for version in model.versions
        }

    def run(self, run_id: str) -> str:
        return f"mlflow-{slug(run_id)}"

    def logged_model(self, model_id: str) -> str:
        return f"mlflow-{slug(model_id)}"

    def packaged_model(self, run_id: str, path: str) -> str:
        return f"mlflow-{slug(run_id)}-{slug(path)}"

    def dataset(self, name: str, digest: str) -> str:
        return f"mlflow-{slug(name)}-{slug(digest)}"

    def dataset_concept(self, name: str) -> str:
        return f"mlflow-{slug(name)}"

    def parameter(self, value: str, *more: str) -> str:
        return f"mlflow-param-{slug(value)}-{short_hash(self._store.identity, *more)}"

    def local(self, name: str) -> str:
        """A user or a script."""
        return f"mlflow-{slug(name)}-{self._store.identity}"

    def registered(self, name: str) -> str:
        return f"mlflow-registered-{slug(name)}-{short_hash(self._store.identity, name)}"

    def version(self, model: RegisteredModel, version: RegisteredVersion) -> tuple[str, bool]:
        """The model that a registered version points at, and whether the store says which one that is."""
        source = unquote(version.source or "").replace("\\", "/")
        logged = version.model_id or _search(MODEL_ID, source)
        if logged:
            return self.logged_model(logged), True
        pointed = _IN_RUN.search(source)
        if version.run_id and pointed and pointed[1] == version.run_id and pointed[2].strip("/"):
            return self.packaged_model(version.run_id, pointed[2].strip("/")), True
        if version.run_id and "/artifacts/" in source:
            return self.packaged_model(version.run_id, source.rpartition("/artifacts/")[2].strip("/")), True
        return f"{self.registered(model.name)}-{version.version}", False

    def referred_model(self, reference: str) -> str | None:
        """The key of a tracked model that a text refers to: `m-…`, `runs:/RUN/path`, `models:/NAME/3` or `NAME/3`; else None."""
        text = reference.strip()
        logged = _search(MODEL_ID, text)
        if logged and (text == logged or text.startswith("models:/") or logged in self._store.models):
            return self.logged_model(logged)
        if text.startswith("runs:/"):
            pointed = _IN_RUN.search(text)
            return self.packaged_model(pointed[1], pointed[2].strip("/")) if pointed and pointed[2].strip("/") else None
        registered = _REGISTERED.fullmatch(text)
        if registered:
            found = self._versions.get((registered["name"], int(registered["version"])))
            if found:
                return self.version(*found)[0]
        return None


def _search(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[0] if found else None
