"""Write the RDF around the runs, and what one should conclude from it all: templates/*.ttl filled with real ids and numbers.

Reads `lab.json` (which id belongs to which step) and `mlruns/`; writes the `.ttl` files beside this script and
`expected.json`. Standard library alone: it can be run again without MLflow.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Any

from reading import expected, metric

HERE = Path(__file__).resolve().parent
BASE = "http://127.0.0.1:8321/id"
LAB = "https://digits-lab.example/"
DOI = "https://doi.org/10.5072/"
THINGS = (
    "acquisition-flatbed",
    "acquisition-feeder",
    "calibration-s1",
    "calibration-s2",
    "grey-table-s1",
    "grey-table-s2",
    "scan-firmware-2.4",
    "scanner-flatbed",
    "scanner-feeder",
    "labelling",
    "relabelling-train",
    "relabelling-test",
    "label-tool-1.1",
    "project",
    "form-reader-1.0",
    "form-reader-1.1",
    "kiosk-1.0",
    "feeder-control-2.0",
    "change-train-labels",
    "change-test-labels",
    "change-feeder-calibration",
)
PAPERS = ("preprint.v1", "preprint.v2", "workshop", "comparison", "review")


def iris(facts: dict[str, Any]) -> dict[str, str]:
    """Each name of the story with its IRI: `run svm-v1`, `model svm-v1`, `dataset train-v1`, `concept digits-train`, …"""
    names = {f"run {key}": f"{BASE}/run/mlflow-{run}" for key, run in facts["runs"].items()}
    names |= {f"model {key}": f"{BASE}/model/mlflow-{model}" for key, model in facts["models"].items()}
    for key, data in facts["datasets"].items():
        names[f"concept {data['name']}"] = f"{BASE}/dataset/mlflow-{data['name']}"
        names[f"dataset {key}"] = f"{BASE}/dataset/mlflow-{data['name']}-{data['digest']}"
    names |= {f"thing {name}": LAB + name for name in THINGS}
    return names | {f"paper digits-lab.{name}": f"{DOI}digits-lab.{name}" for name in PAPERS}


def moment(milliseconds: int) -> str:
    """Milliseconds since 1970 as `xsd:dateTime` in UTC.

    >>> moment(1759334522787)
    '2025-10-01T16:02:02.787Z'
    """
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fillings(facts: dict[str, Any], mlruns: Path) -> dict[str, str]:
    """What stands for each `$name` of a template: short Turtle names, moments, numbers of rows, accuracies in percent."""

    def plain(key: str) -> str:
        return key.replace("-", "_").replace(".", "_")

    filled = {plain(key): f"data:{data['name']}-{data['digest']}" for key, data in facts["datasets"].items()}
    filled |= {f"rows_{plain(key)}": str(rows) for key, rows in facts["rows"].items()}
    filled |= {f"wrong_{key}": str(count) for key, count in facts["wrong_labels"].items()}
    for key, at in facts["moments"].items():
        filled |= {f"at_{key}": moment(at), f"day_{key}": moment(at)[:10]}
    for key, model in facts["models"].items():
        filled |= {f"model_{plain(key)}": f"model:{model}", f"weights_{plain(key)}": facts["weights"][model]}
    for key, run in facts["runs"].items():
        filled[f"run_{plain(key)}"] = f"run:{run}"
        if any(mlruns.glob(f"*/{run}/metrics/accuracy")):
            filled[f"percent_{plain(key)}"] = f"{100 * metric(mlruns, run, 'accuracy'):.1f}"
    return filled


def main() -> None:
    """Write the Turtle files and expected.json."""
    facts = json.loads((HERE / "lab.json").read_text(encoding="utf-8"))
    mlruns = HERE / "mlruns"
    filled = fillings(facts, mlruns)
    for template in sorted((HERE / "templates").glob("*.ttl")):
        text = Template(template.read_text(encoding="utf-8")).substitute(filled)
        (HERE / template.name).write_text(text, encoding="utf-8")
    truth = expected(mlruns, facts["runs"], iris(facts))
    (HERE / "expected.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
