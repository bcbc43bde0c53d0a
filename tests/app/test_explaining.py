"""Why: asked through Headwater, by readers who see all of it and by readers who do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from headwater.access import LOCAL, Reader
from headwater.app import Headwater
from headwater.errors import BadParameter, NotFound
from tests.lineage.worlds import used

Opened = Callable[..., Headwater]
Write = Callable[..., object]
PUBLIC = Reader("anonymous", "none", frozenset())
STAFF = Reader("staff", "read", frozenset())
X = "https://lab.example/"


def used_by(thing: str, role: str, evidence: str = "observed") -> str:
    return used(f"x:{thing}", role, evidence)


CHAIN = f"""
x:data a hw:Dataset ; rdfs:label 'labels 1' ; hw:version '1' .
x:better a hw:Dataset ; rdfs:label 'labels 2' ; hw:version '2' ; prov:wasRevisionOf x:data .
x:fit a hw:Run ; rdfs:label 'fit' ; prov:startedAtTime '2025-10-01T12:00:00Z'^^<http://www.w3.org/2001/XMLSchema#dateTime> ;
  {used_by("data", "train")} .
x:model a hw:Model ; rdfs:label 'svm' ; prov:wasGeneratedBy x:fit .
x:score a hw:Run ; rdfs:label 'score' ; {used_by("data", "test")} ; {used_by("other", "predict")} .
x:other a hw:Model ; rdfs:label 'forest' ; hw:version '1' .
x:lonely a hw:Dataset ; rdfs:label 'lonely' .
x:change a hw:Change ; rdfs:label 'relabelled' ; hw:changeKind hw:labels-corrected ; hw:changedObject x:data ;
  hw:toRevision x:better ; prov:atTime '2025-11-02T10:00:00Z'^^<http://www.w3.org/2001/XMLSchema#dateTime> .
"""
PAPER = "x:paper a hw:Publication ; rdfs:label 'paper' ; hw:documents x:model ."
SECRET = f"""
x:tuning a hw:Run ; rdfs:label 'secret tuning' ; {used_by("data", "train")} .
x:secret a hw:Model ; rdfs:label 'secret model' ; prov:wasGeneratedBy x:tuning .
x:paper a hw:Publication ; hw:documents x:secret .
"""


@pytest.fixture
def lab(opened: Opened, write: Write) -> Headwater:
    headwater = opened(store="memory")
    write(headwater, "chain", CHAIN)
    write(headwater, "paper", PAPER)
    return headwater


def names(answer: dict[str, Any]) -> list[list[str]]:
    return [
        [path["hops"][0]["from"].removeprefix(X), *(hop["to"].removeprefix(X) for hop in path["hops"])]
        for path in answer["paths"]
    ]


def test_the_verdict_of_an_announced_change_is_explained_in_one_sentence(lab: Headwater) -> None:
    answer = lab.explain(X + "change", LOCAL, to=X + "model")
    assert names(answer) == [["data", "fit", "model"]]
    assert answer["sentence"] == (
        "Model svm is affected (major): it was made by run fit, which was trained on data set labels 1 "
        '(labels corrected on 2025-11-02; weakest link: declared in record "chain.ttl").'
    )
    hop = answer["paths"][0]["hops"][0]
    assert {name: hop[name] for name in ("relation", "role", "evidence", "at", "effect_before", "effect_after", "because")} == {
        "relation": "prov:used",
        "role": "train",
        "evidence": "observed",
        "at": "2025-10-01T12:00:00Z",
        "effect_before": "stale",
        "effect_after": "stale",
        "because": "trained-on",
    }
    assert answer["records"][hop["record"]]["title"] == "chain.ttl"
    assert answer["cut"]["size"] == 1
    assert answer["cut"]["then"] == "not_affected"
    assert answer["summary"]["verdict"] == "affected"
    assert answer["completeness"]["complete"]


def test_the_sentence_speaks_german(lab: Headwater) -> None:
    answer = lab.explain(X + "change", LOCAL, to=X + "model", language="de-CH")
    assert answer["sentence"].startswith("Modell svm ist betroffen (schwer): Modell svm wurde gemacht von Lauf fit;")
    with pytest.raises(BadParameter, match="language"):
        lab.explain(X + "change", LOCAL, to=X + "model", language="fr")


def test_a_thing_alone_is_explained_by_the_worst_that_an_announced_change_does_to_it(lab: Headwater) -> None:
    alone, named = lab.explain(X + "model", LOCAL), lab.explain(X + "change", LOCAL, to=X + "model")
    assert (alone["root"], alone["to"], alone["paths"]) == (named["root"], named["to"], named["paths"])
    with pytest.raises(BadParameter, match="No announced change reaches"):
        lab.explain(X + "lonely", LOCAL)


def test_a_supposed_change_would_affect(lab: Headwater) -> None:
    answer = lab.explain(X + "data", LOCAL, to=X + "paper", change="retracted")
    assert answer["sentence"].startswith("Publication paper would be affected (major)")
    assert "(supposed: retracted" in answer["sentence"]
    assert [hop["effect_after"] for hop in answer["paths"][0]["hops"]] == ["withdraw", "withdraw", "claims-unsupported"]


def test_what_was_only_tested_is_explained_by_what_held_the_effect_up(lab: Headwater) -> None:
    answer = lab.explain(X + "change", LOCAL, to=X + "other")
    assert answer["summary"]["verdict"] == "not_affected"
    assert [(hop["because"], hop["effect_after"]) for hop in answer["blocks"]["links"]] == [("tested-only", "metrics-invalid")]
    back = answer["paths"][0]["hops"][1]
    assert (back["relation"], back["role"], {link["from"] for link in back["rests_on"]}) == (
        None,
        "evaluate",
        {X + "data", X + "other"},
    )
    assert answer["cut"] is None


def test_a_doubt_comes_with_what_would_settle_it(lab: Headwater, write: Write) -> None:
    write(lab, "later", f"x:v3 a hw:Dataset ; prov:wasRevisionOf x:lonely . x:r a hw:Run ; {used_by('v3', 'train')} .")
    answer = lab.explain(X + "lonely", LOCAL, to=X + "r", change="labels-corrected")
    assert answer["summary"]["verdict"] == "cannot_tell"
    assert [hop["doubt"] for hop in answer["doubts"]] == ["later-revision"]
    assert answer["sentence"].endswith("Record what the later revision was made from, or announce it as the mended one.")


def test_what_was_mended_since_tells_the_way_of_the_mended_input(lab: Headwater, write: Write) -> None:
    again = f"x:again a hw:Run ; {used_by('better', 'train')} ."
    again += " x:model2 a hw:Model ; prov:wasGeneratedBy x:again ; prov:wasRevisionOf x:model ."
    write(lab, "again", again)
    answer = lab.explain(X + "change", LOCAL, to=X + "model")
    assert answer["summary"]["verdict"] == "resolved"
    assert answer["mended"]["by"] == X + "model2"
    assert [hop["to"].removeprefix(X) for hop in answer["mended"]["hops"]] == ["again", "model2"]


def test_two_things_are_linked_whichever_is_named_first(lab: Headwater) -> None:
    forth, back = lab.explain(X + "data", LOCAL, to=X + "paper"), lab.explain(X + "paper", LOCAL, to=X + "data")
    assert forth["paths"] == back["paths"]
    assert (forth["query"]["direction"], back["query"]["direction"]) == ("downstream", "upstream")
    assert forth["sentence"] == back["sentence"]
    assert forth["sentence"].startswith("Publication paper goes back to data set labels 1: it reports on model svm")
    assert lab.explain(X + "paper", LOCAL, to=X + "data", direction="downstream")["paths"] == []


def test_things_without_a_link_and_a_thing_with_itself_get_a_clear_answer(lab: Headwater) -> None:
    apart = lab.explain(X + "lonely", LOCAL, to=X + "paper")
    assert (apart["paths"], apart["cut"], apart["sparql"]) == ([], None, None)
    assert apart["sentence"] == "Nothing that is recorded leads from data set lonely to publication paper."
    same = lab.explain(X + "data", LOCAL, to=X + "data")
    assert same["sentence"] == "Data set labels 1 and data set labels 1 are the same thing."
    beyond = lab.explain(X + "change", LOCAL, to=X + "lonely")
    assert beyond["summary"]["verdict"] is None
    assert beyond["sentence"] == "Nothing that is recorded leads from change relabelled to data set lonely."
    itself = lab.explain(X + "change", LOCAL, to=X + "data")
    assert itself["sentence"] == "Data set labels 1 is what changed (labels corrected on 2025-11-02)."


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"id": X + "change"}, "to"),
        ({"id": X + "data", "change": "retracted"}, "to"),
        ({"id": X + "model", "to": X + "change"}, "to"),
        ({"id": X + "data", "to": X + "model", "change": "exploded"}, "change"),
        ({"id": X + "change", "to": X + "model", "change": "retracted"}, "change"),
        ({"id": X + "data", "to": X + "model", "slice": '{"labels": ["1"]}'}, "slice"),
        ({"id": X + "data", "to": X + "model", "change": "retracted", "slice": "[]"}, "slice"),
        ({"id": X + "change", "to": X + "model", "direction": "upstream"}, "direction"),
        ({"id": X + "change", "to": X + "model", "k": 0}, "k"),
        ({"id": X + "change", "to": X + "model", "k": "many"}, "k"),
        ({"id": X + "change", "to": X + "model", "depth": 3}, "depth"),
        ({"id": X + "change", "to": X + "model", "roles": "cook"}, "roles"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_by_name(lab: Headwater, given: dict[str, Any], named: str) -> None:
    with pytest.raises(BadParameter) as caught:
        lab.explain(given.pop("id"), LOCAL, **given)
    assert caught.value.extra["parameter"] == named


def test_an_unknown_thing_is_not_found(lab: Headwater) -> None:
    with pytest.raises(NotFound):
        lab.explain(X + "change", LOCAL, to=X + "nothing")


def test_the_sparql_finds_each_hop_in_the_store(lab: Headwater) -> None:
    for to in ("paper", "model", "other"):
        answer = lab.explain(X + "change", LOCAL, to=X + to)
        body, _ = lab.query(answer["sparql"], LOCAL, "application/sparql-results+json")
        rows = json.loads(body)["results"]["bindings"]
        found = {(int(row["path"]["value"]), int(row["hop"]["value"])) for row in rows}
        assert found == {(path["rank"], hop) for path in answer["paths"] for hop in range(1, len(path["hops"]) + 1)}
    roles = {row["role"]["value"].rpartition("#")[2] for row in rows if "role" in row}
    assert {"test", "predict"} <= roles


def test_the_sparql_of_a_long_answer_stays_within_what_the_endpoint_takes(opened: Opened, write: Write) -> None:
    headwater = opened(store="memory", max_query_length=900)
    write(headwater, "chain", CHAIN)
    text = headwater.explain(X + "change", LOCAL, to=X + "other")["sparql"]
    assert len(text) <= 900
    assert "more links are left out" in text
    headwater.query(text, LOCAL)


def test_links_that_were_left_out_by_evidence_are_told(lab: Headwater, write: Write) -> None:
    write(lab, "guess", f"x:model prov:wasGeneratedBy x:guess . x:guess a hw:Run ; {used_by('data', 'train', 'inferred')} .")
    every = lab.explain(X + "change", LOCAL, to=X + "model")
    assert len(every["paths"]) == 2
    strong = lab.explain(X + "change", LOCAL, to=X + "model", min_evidence="declared")
    assert len(strong["paths"]) == 1
    assert strong["completeness"]["reasons"] == ["min_evidence"]


# --- the past


def test_before_the_change_happened_nothing_ailed_anybody(lab: Headwater) -> None:
    answer = lab.explain(X + "change", LOCAL, to=X + "model", as_of="2025-10-15")
    assert answer["as_of"] is not None
    assert answer["nodes"][X + "model"]["state"] == "not_affected"
    assert answer["nodes"][X + "model"]["justification"] == "not-yet"
    assert answer["query"]["change"] == "labels-corrected"
    told = lab.impact(X + "change", LOCAL, as_of="2025-10-15")["nodes"][X + "model"]
    assert (told["state"], told["justification"]) == ("not_affected", "not-yet")


def test_what_was_known_before_a_record_came_does_not_use_it(lab: Headwater, write: Write) -> None:
    before = lab.sequence
    write(lab, "again", f"x:model prov:wasGeneratedBy x:refit . x:refit a hw:Run ; {used_by('data', 'finetune')} .")
    now, then = (lab.explain(X + "change", LOCAL, to=X + "model", known_at=when) for when in (None, before))
    assert (len(now["paths"]), len(then["paths"])) == (2, 1)
    assert then["sequence"] == before
    assert then["sparql"] is None


# --- who may see what


def test_a_further_way_that_a_reader_may_not_see_is_counted_and_said(lab: Headwater, write: Write) -> None:
    write(lab, "secret", SECRET, visibility="internal")
    public, staff = (lab.explain(X + "change", reader, to=X + "paper") for reader in (PUBLIC, STAFF))
    assert len(staff["paths"]) == 2
    assert len(public["paths"]) == 1
    assert public["completeness"]["reasons"] == ["hidden"]
    assert public["completeness"]["hidden_count"] == 2
    assert public["sentence"].endswith("There is a further way that you may not see.")
    assert not public["cut"]["exact"]
    assert "secret" not in json.dumps(public)
    assert "secret" not in public["sparql"]


def test_where_the_only_way_is_hidden_nothing_reassuring_is_said_and_nothing_named(opened: Opened, write: Write) -> None:
    headwater = opened(store="memory")
    write(headwater, "chain", CHAIN)
    write(headwater, "public", "x:paper a hw:Publication ; rdfs:label 'paper' ; hw:cites x:lonely .")
    write(headwater, "secret", SECRET, visibility="internal")
    answer = headwater.explain(X + "change", PUBLIC, to=X + "paper")
    assert answer["paths"] == []
    assert answer["nodes"][X + "paper"]["state"] == "cannot_tell"
    assert answer["nodes"][X + "paper"]["justification"] == "hidden-path"
    assert answer["sentence"].startswith("Whether publication paper is affected cannot be told, because what decides lies where")
    assert "secret" not in json.dumps(answer)
    linked = headwater.explain(X + "data", PUBLIC, to=X + "paper")
    assert linked["paths"] == []
    assert linked["sentence"].endswith("There is a further way that you may not see.")


def test_impact_and_explanation_say_the_same_of_everything_to_every_reader(lab: Headwater, write: Write) -> None:
    write(lab, "secret", SECRET, visibility="internal")
    for reader in (PUBLIC, STAFF, LOCAL):
        for iri, node in lab.impact(X + "change", reader)["nodes"].items():
            told = lab.explain(X + "change", reader, to=iri)["nodes"][iri]
            for name in ("state", "severity", "justification", "resolved_by", "distance"):
                assert told[name] == node[name], (reader.name, iri, name)


def test_each_verdict_of_an_impact_answer_leads_to_its_explanation(lab: Headwater) -> None:
    node = lab.impact(X + "data", LOCAL, change="retracted", roles=("train",))["nodes"][X + "model"]
    assert node["_links"]["explain"] == (
        "/api/v1/explain?id=https%3A%2F%2Flab.example%2Fdata&change=retracted&roles=train&to=https%3A%2F%2Flab.example%2Fmodel"
    )


def test_the_banner_names_what_changed(lab: Headwater) -> None:
    (banner,) = lab.changes_touching(X + "model", LOCAL)
    assert [thing.label for thing in banner.objects] == ["labels 1"]
