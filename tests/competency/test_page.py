"""The page on competency questions names questions that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from headwater import assets

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "competency.md"
NAMED = re.findall(r"`([a-z0-9-]+\.(?:prov|mls|mex))`", PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(set(NAMED)))
def test_a_question_that_the_page_names_is_there(name: str) -> None:
    assert (assets.folder("queries") / "competency" / f"{name}.rq").is_file()


def test_all_eleven_questions_of_the_run_crates_are_spoken_of() -> None:
    assert re.findall(r"^\| (CQ\d+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE) == [f"CQ{n}" for n in range(1, 12)]
