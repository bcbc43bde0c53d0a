"""What the tests of the importers share: a source read to its end, and questions to what came out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph
import pytest

from headwater.importers.mlflow import MLflowImporter
from headwater.importers.protocol import Source
from headwater.records.draft import Draft, Failure, Finding
from headwater.terms.minting import Mint
from headwater.terms.names import PREFIXES

_FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"


@dataclass(slots=True)
class Imported:
    """The drafts of one source, its failures, and the union of all statements."""

    drafts: list[Draft]
    failures: list[Failure]
    store: pyoxigraph.Store

    def rows(self, pattern: str, *variables: str) -> list[tuple[str, ...]]:
        """The distinct bindings of `variables` in a SPARQL pattern, sorted, each as its value (IRIs of things as `kind/key`)."""
        found = self.store.query(f"SELECT DISTINCT {' '.join(variables)} WHERE {{ {pattern} }}", prefixes=dict(PREFIXES))
        assert isinstance(found, pyoxigraph.QuerySolutions)
        names = [variable.lstrip("?") for variable in variables]
        return sorted(tuple(_short(row[name]) for name in names) for row in found)

    def values(self, pattern: str, variable: str) -> list[str]:
        return [value for (value,) in self.rows(pattern, variable)]

    def run(self, label: str) -> str:
        """The IRI of the one run of this name, ready for a pattern."""
        (path,) = self.values(f'?run a mls:Run ; rdfs:label "{label}"', "?run")
        return f"<https://data.example/id/{path}>"

    def findings(self, reason: str | None = None) -> list[Finding]:
        return [finding for draft in self.drafts for finding in draft.findings if reason in (None, finding.reason)]

    def reasons(self) -> set[str]:
        return {finding.reason for finding in self.findings()}


def _short(term: object) -> str:
    value = "" if term is None else str(getattr(term, "value", term))
    return value.removeprefix("https://data.example/id/").removeprefix(str(PREFIXES["hw"]))


@pytest.fixture
def read() -> Callable[..., Imported]:
    """Imports what lies at a path, as the app would."""

    def reading(path: Path, name: str | None = None, max_bytes: int = 10**9) -> Imported:
        read = list(MLflowImporter().read(Source(path, name or path.name, max_bytes), Mint("https://data.example/")))
        drafts = [item for item in read if isinstance(item, Draft)]
        store = pyoxigraph.Store()
        for draft in drafts:
            store.extend(pyoxigraph.Quad(t.subject, t.predicate, t.object) for t in draft.triples)
        return Imported(drafts, [item for item in read if isinstance(item, Failure)], store)

    return reading


@pytest.fixture
def stores() -> Path:
    """The folder with `mlruns/` and `mlflow.db`, which MLflow itself wrote (tests/fixtures/make_mlflow.py)."""
    return _FIXTURES / "mlflow"
