"""The pages of terms and of rules, and the picture of the core model, say what the ontology says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_terms_and_the_picture_are_in_step_with_the_ontology() -> None:
    checked = subprocess.run([sys.executable, str(ROOT / "scripts" / "terms-page"), "--check"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_the_page_of_rules_is_in_step_with_the_ontology() -> None:
    checked = subprocess.run([sys.executable, str(ROOT / "scripts" / "rules-page"), "--check"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
