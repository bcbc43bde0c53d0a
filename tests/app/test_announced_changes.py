"""Changes as strangers announce them in Turtle, and changes that one only supposes, asked through Headwater."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headwater.app import Headwater
from headwater.errors import BadParameter, NotFound
from headwater.settings import Settings
from tests.lineage.worlds import EX, PREFIXES, used

DATA = """
:concept a hw:Dataset ; rdfs:label "pages" .
:v1 a hw:Dataset ; rdfs:label "pages 1" ; hw:version "1" ; prov:specializationOf :concept .
:v2 a hw:Dataset ; rdfs:label "pages 2" ; hw:version "2" ; prov:specializationOf :concept ; prov:wasRevisionOf :v1 .
:v3 a hw:Dataset ; rdfs:label "pages 3" ; hw:version "3" ; prov:specializationOf :concept ; prov:wasRevisionOf :v2 .
""" + "".join(
    f':run{number} a hw:Run ; rdfs:label "training {number}" ; {used(f":v{number}", "train")} .\n'
    f':m{number} a hw:Model ; rdfs:label "model {number}" ; prov:wasGeneratedBy :run{number} .\n'
    for number in (1, 2, 3)
)


def change(more: str, kind: str = "labels-corrected") -> str:
    return f':change a hw:Change ; rdfs:label "a change" ; hw:changeKind hw:{kind} ; {more} .'


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Callable[..., dict[str, Any]]]:
    """Writes documents, then asks for the impact of a thing; gives the state of each object by its local name."""
    with Headwater.open(Settings(data=tmp_path / "data", store="memory")) as headwater:

        def asked(*documents: str, of: str = "change", **given: Any) -> dict[str, Any]:
            for number, document in enumerate(documents):
                path = tmp_path / f"{number}.ttl"
                path.write_text(PREFIXES + document, encoding="utf-8")
                report = headwater.import_source(path, format="rdf")
                assert [record.status for record in report.records] != ["rejected"], report.as_dict()
            answer = headwater.impact(EX + of, headwater.reader(None, loopback=True), **given)
            return {iri.removeprefix(EX): node["state"] for iri, node in answer["nodes"].items() if node["distance"]}

        yield asked


def models(states: dict[str, Any]) -> list[str]:
    return [states.get(f"m{number}", "not_affected") for number in (1, 2, 3)]


def test_from_one_revision_to_the_next_what_the_first_made_is_affected(ask: Callable[..., dict[str, Any]]) -> None:
    told = change("hw:changedObject :v1 ; hw:fromRevision :v1 ; hw:toRevision :v2")
    assert models(ask(DATA, told)) == ["affected", "not_affected", "not_affected"]


def test_a_change_of_the_concept_means_its_versions_before_the_mended_one(ask: Callable[..., dict[str, Any]]) -> None:
    told = change("hw:changedObject :concept ; hw:toRevision :v2")
    assert models(ask(DATA, told)) == ["affected", "not_affected", "not_affected"]


def test_a_change_of_the_concept_without_revisions_means_all_of_them(ask: Callable[..., dict[str, Any]]) -> None:
    assert models(ask(DATA, change("hw:changedObject :concept", "retracted"))) == ["affected"] * 3


def test_a_change_of_the_middle_revision_leaves_what_came_before_alone(ask: Callable[..., dict[str, Any]]) -> None:
    told = change("hw:changedObject :v2 ; hw:fromRevision :v2 ; hw:toRevision :v3")
    assert models(ask(DATA, told)) == ["not_affected", "affected", "not_affected"]


def test_a_supposed_change_takes_the_announced_mending_of_that_kind(ask: Callable[..., dict[str, Any]]) -> None:
    told = change("hw:changedObject :v1 ; hw:fromRevision :v1 ; hw:toRevision :v2")
    assert models(ask(DATA, told, of="v1", change="labels-corrected")) == ["affected", "not_affected", "not_affected"]
    assert models(ask(of="concept", change="labels-corrected")) == ["affected", "not_affected", "not_affected"]
    assert models(ask(of="v1", change="values-corrected")) == ["affected", "cannot_tell", "cannot_tell"]
    assert models(ask(of="v1", change="metadata-only")) == ["not_affected"] * 3


def test_an_announced_slice_is_compared_and_two_slices_count_as_the_whole(ask: Callable[..., dict[str, Any]]) -> None:
    part = ":run1 {} .".format(used(":v1", "train", slice='a hw:Slice ; hw:labelClass "1"'))
    whole = DATA.replace(used(":v1", "train"), "prov:used :v1")
    told = "hw:changedObject :v1 ; hw:fromRevision :v1 ; hw:toRevision :v2"
    other = 'hw:slice [ a hw:Slice ; hw:labelClass "3" ]'
    assert models(ask(whole, part, change(f"{told} ; {other}")))[0] == "not_affected"
    both = f'{other}, [ a hw:Slice ; hw:labelClass "1" ]'
    assert models(ask(whole, part, change(f"{told} ; {both}")))[0] == "affected"


def test_a_supposed_slice_is_read_from_json_and_a_wrong_one_is_refused(ask: Callable[..., dict[str, Any]]) -> None:
    assert models(ask(DATA, of="v1", change="labels-corrected", slice='{"labels": ["3"]}'))[0] == "affected"
    for wrong in ("3", "{", '{"labels": []}', '{"first_run": "7"}', '{"after": "soon"}', '{"colour": "red"}'):
        with pytest.raises(BadParameter, match="slice"):
            ask(of="v1", change="labels-corrected", slice=wrong)


def test_what_cannot_be_meant_is_refused_with_a_word_on_what_can(ask: Callable[..., dict[str, Any]]) -> None:
    ask(DATA, change("hw:changedObject :v1"))
    with pytest.raises(BadParameter, match="none of"):
        ask(of="v1", change="label-corrected")
    with pytest.raises(BadParameter, match="is a change itself"):
        ask(change="labels-corrected")
    with pytest.raises(BadParameter, match="Which change"):
        ask(of="m1")
    with pytest.raises(NotFound):
        ask(of="nothing", change="labels-corrected")
    with pytest.raises(BadParameter, match="direction"):
        ask(direction="upstream")
    with pytest.raises(BadParameter, match="depth"):
        ask(depth="-1")


def test_the_only_announced_change_of_a_thing_is_meant_when_none_is_named(ask: Callable[..., dict[str, Any]]) -> None:
    told = change("hw:changedObject :v1 ; hw:fromRevision :v1 ; hw:toRevision :v2")
    assert ask(DATA, told, of="v1") == ask(of="change") == ask(of="concept")
