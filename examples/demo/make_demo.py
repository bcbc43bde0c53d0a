"""Make the demonstration project again: run the trainings, keep what they recorded, write the story around them.

    python -m venv demo-venv && demo-venv/bin/pip install -r examples/demo/requirements-demo.txt
    demo-venv/bin/python examples/demo/make_demo.py

The runs happen in a lab folder (`/srv/digits-lab` unless `--lab` names another; it must not exist yet), so that no path of
this checkout gets into what is kept. Their recorded code version is the commit that last changed `training.py` and
`digits.py`; commit them before. Pinned versions: requirements-demo.txt.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CODE = ("training.py", "digits.py")
DROPPED = {"conda.yaml", "python_env.yaml", "registered_model_meta"}
"""What MLflow derives from requirements.txt, which is kept, and what it notes when it loads a registered model."""


def recorded_commit() -> str:
    """The commit that last changed the training code; ends the program where the code differs from it."""
    if subprocess.run(["git", "diff", "--quiet", "HEAD", "--", *CODE], cwd=HERE, check=False).returncode != 0:
        raise SystemExit("training.py or digits.py differ from the last commit: commit them first, the runs record that commit")
    log = subprocess.run(["git", "log", "-1", "--format=%H", "--", *CODE], cwd=HERE, check=True, capture_output=True, text=True)
    return log.stdout.strip()


def run_in(lab: Path, commit: str) -> None:
    """Do the runs in `lab`, as the user `ada`."""
    lab.mkdir(parents=True)
    for name in CODE:
        shutil.copy(HERE / name, lab / name)
    quiet = {"MLFLOW_LOGGING_LEVEL": "ERROR", "PYTHONWARNINGS": "ignore", "MLFLOW_DISABLE_TELEMETRY": "true"}
    who = {"USER": "ada", "LOGNAME": "ada", "MLFLOW_ALLOW_FILE_STORE": "true"}
    command = [sys.executable, "training.py", "--commit", commit]
    subprocess.run(command, cwd=lab, check=True, env=os.environ | quiet | who)


def keep(lab: Path) -> dict[str, str]:
    """Copy the tracking folder without weights; returns the SHA-256 of each model's weights by MLflow's model id."""
    weights = {
        path.parents[1].name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((lab / "mlruns").glob("*/models/*/artifacts/model.pkl"))
    }
    kept = HERE / "mlruns"
    if kept.exists():
        shutil.rmtree(kept)
    for path in sorted((lab / "mlruns").rglob("*")):
        if path.is_file() and path.suffix != ".pkl" and path.name not in DROPPED:
            target = kept / path.relative_to(lab / "mlruns")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    return weights


def main() -> None:
    """Run, keep, write."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--lab", type=Path, default=Path("/srv/digits-lab"), help="where the runs happen; must not exist yet")
    lab = options.parse_args().lab
    if lab.exists():
        raise SystemExit(f"{lab} exists: remove it or name another folder with --lab")
    run_in(lab, recorded_commit())
    facts = json.loads((lab / "lab.json").read_text(encoding="utf-8"))
    facts["weights"] = keep(lab)
    (HERE / "lab.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    subprocess.run([sys.executable, str(HERE / "story.py")], check=True)


if __name__ == "__main__":
    main()
