"""The page on competency questions names questions that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from headwater import assets

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "competency.md"
NAME = re.compile(r"`([a-z0-9-]+\.(?:prov|mls|mex))`")
NAMED = NAME.findall(PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(set(NAMED)))
def test_a_question_that_the_page_names_is_there(name: str) -> None:
    assert (assets.folder("queries") / "competency" / f"{name}.rq").is_file()


def test_all_nine_queries_of_mlsea_are_spoken_of() -> None:
    assert re.findall(r"^\| (\d) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE) == [str(n) for n in range(1, 10)]


def test_every_row_of_the_tables_names_a_question_or_says_that_it_is_not_asked() -> None:
    rows = re.findall(r"^\| (?!---)(?!\|)(.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    said = [row for row in rows if "answered by" not in row and "one training" not in row]
    assert len(said) > 30
    assert [row for row in said if not NAME.search(row) and "not asked" not in row] == []


def test_the_number_of_questions_is_told_rightly() -> None:
    bases = {path.name.partition(".")[0] for path in (assets.folder("queries") / "competency").glob("*.rq")}
    told = (PAGE.parents[1] / "explanation" / "three-vocabularies.md").read_text(encoding="utf-8")
    assert f"lists {len(bases)} questions" in told


def test_all_eleven_questions_of_the_run_crates_are_spoken_of() -> None:
    assert re.findall(r"^\| (CQ\d+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE) == [f"CQ{n}" for n in range(1, 12)]
