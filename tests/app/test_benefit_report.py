"""The yearly report: who came in which year, what it cost them, what they took up, and only what the reader may see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from headwater.access import LOCAL, Reader
from headwater.app import Headwater
from headwater.errors import BadParameter, NotFound

Opening = Callable[..., Headwater]
Write = Callable[..., object]
X = "https://lab.example/"
GUEST = Reader("anonymous", "none", frozenset())


def at(name: str, time: str) -> str:
    return f'prov:{name} "{time}"^^xsd:dateTime'


def run(name: str, data: str, start: str, end: str, who: str = "", **more: str) -> str:
    times = [at("startedAtTime", start)] if start else []
    times += [at("endedAtTime", end)] if end else []
    told = [f"x:{name} a hw:Run", f'rdfs:label "{name}"', *times]
    told.append(f"prov:qualifiedUsage [ a prov:Usage ; prov:entity x:{data} ; prov:hadRole hw:train ]")
    told += [f"prov:wasAssociatedWith x:{who}"] if who else []
    told += [f"{predicate} {value}" for predicate, value in more.items()]
    return " ; ".join(told) + f' .\nx:m-{name} a hw:Model ; rdfs:label "model of {name}" ; prov:wasGeneratedBy x:{name} .\n'


WORLD = f"""@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
x:ada a prov:Agent ; rdfs:label "Ada" . x:bo a prov:Agent ; rdfs:label "Bo" .
x:v1 a hw:Dataset ; rdfs:label "labels 1" ; {at("generatedAtTime", "2023-01-01T00:00:00Z")} .
x:v2 a hw:Dataset ; rdfs:label "labels 2" ; prov:wasRevisionOf x:v1 ; {at("generatedAtTime", "2024-02-01T00:00:00Z")} .
{run("r1", "v1", "2023-05-01T00:00:00Z", "2023-05-01T02:00:00Z", "ada")}
{run("r2", "v2", "2024-05-01T00:00:00Z", "2024-05-01T03:00:00Z", "ada")}
{run("r3", "v1", "2024-12-31T23:00:00Z", "2025-01-01T04:00:00Z", "bo")}
{run("r4", "v2", "2024-06-01T00:00:00Z", "", "")}
{run("lost", "v1", "", "", "")}
x:paper a hw:Publication ; rdfs:label "paper" ; hw:documents x:m-r1 ; {at("generatedAtTime", "2024-03-01T00:00:00Z")} .
x:shop a hw:Deployment ; rdfs:label "shop" ; hw:deploys x:m-r2 ; {at("generatedAtTime", "2025-02-01T00:00:00Z")} .
"""


@pytest.fixture
def lab(opened: Opening, write: Write) -> Headwater:
    headwater = opened(store="memory")
    write(headwater, "world", WORLD)
    return headwater


def report(lab: Headwater, year: Any, thing: str = "v1", reader: Reader = LOCAL, **more: Any) -> dict[str, Any]:
    return lab.benefit_report(f"{X}{thing}", reader, year=year, **more)


def named(part: dict[str, Any]) -> set[str]:
    return {thing["label"] for thing in part["things"]}


def test_what_came_in_the_year_is_new_and_what_was_there_is_not(lab: Headwater) -> None:
    told = report(lab, 2024)
    assert named(told["results"]["publication"]) == {"paper"}
    assert named(told["results"]["model"]) == {"model of r2", "model of r4"}
    assert told["results"]["deployment"]["new"] == 0
    assert told["summary"]["by_kind"]["model"] == {"new": 2, "before": 1, "undated": 2}
    assert told["summary"]["total"] == sum(told["summary"][part] for part in ("new", "before", "undated"))


def test_the_model_of_a_run_that_goes_on_over_new_year_is_new_in_the_year_that_ends_it(lab: Headwater) -> None:
    assert named(report(lab, 2025)["results"]["model"]) == {"model of r3"}


@pytest.mark.parametrize("thing", ["v1", "v2", "m-r1"])
def test_everything_is_new_in_one_year_at_most_and_later_counts_as_from_before(lab: Headwater, thing: str) -> None:
    seen: set[str] = set()
    for year in range(2024, 2027):
        told = report(lab, year, thing=thing)
        new = {one["id"] for made in told["results"].values() for one in made["things"]}
        assert not new & seen
        seen |= new
    assert told["summary"]["new"] == 0


def test_users_are_new_or_returning_and_runs_without_one_are_counted(lab: Headwater) -> None:
    users = report(lab, 2024)["users"]
    assert (named(users["new"]), named(users["returning"])) == ({"Bo"}, {"Ada"})
    assert (users["runs"], users["runs_without_user"]) == (3, 1)
    after = report(lab, 2026)["users"]
    assert (after["new"]["count"], after["returning"]["count"], after["only_before"]) == (0, 0, 2)


def test_a_run_of_unknown_time_is_no_proof_that_its_user_was_there_before(lab: Headwater, write: Write) -> None:
    write(lab, "undated", run("whenever", "v1", "", "", "bo"))
    assert named(report(lab, 2024)["users"]["new"]) == {"Bo"}


def test_a_run_counts_in_the_year_in_which_it_ended(lab: Headwater) -> None:
    told = report(lab, 2024)["compute"]
    assert (told["year"]["runs"], told["year"]["hours"], told["year"]["runs_with_hours"]) == (3, 3.0, 1)
    assert (told["until"]["hours"], told["undated_runs"]) == (5.0, 1)
    assert report(lab, 2025)["compute"]["year"]["hours"] == 5.0


def test_energy_is_told_where_it_is_recorded_and_never_else(lab: Headwater, write: Write) -> None:
    assert report(lab, 2024)["compute"]["year"]["kwh"] is None
    write(lab, "meter", "x:r2 hw:energy 0.5 .")
    told = report(lab, 2024)["compute"]["year"]
    assert (told["kwh"], told["runs_with_kwh"]) == (0.5, 1)


def test_improvements_are_told_with_who_took_them_up_in_the_year(lab: Headwater) -> None:
    (step,) = report(lab, 2024)["improvements"]
    assert (step["from_label"], step["to_label"], step["adopted"], step["adopted_before"]) == ("labels 1", "labels 2", 2, 0)
    assert report(lab, 2023)["improvements"] == []
    assert report(lab, 2025)["improvements"][0]["adopted"] == 0


def test_a_past_year_is_told_as_it_was(lab: Headwater, write: Write) -> None:
    before = report(lab, 2023)
    assert (before["summary"]["new"], before["whole_year"], before["as_of"][:10]) == (2, True, "2023-12-31")
    write(
        lab, "later", "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n" + run("r9", "v1", "2025-03-01T00:00:00Z", "", "bo")
    )
    after = report(lab, 2023)
    assert {**after, "sequence": 0, "computed_at": ""} == {**before, "sequence": 0, "computed_at": ""}


def test_what_was_known_earlier_can_be_reported_too(lab: Headwater, write: Write) -> None:
    write(
        lab, "found", "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n" + run("r8", "v1", "2024-03-01T00:00:00Z", "", "bo")
    )
    assert report(lab, 2024)["results"]["model"]["new"] == 3
    assert report(lab, 2024, known_at=1)["results"]["model"]["new"] == 2


def test_credit_of_the_year_is_that_of_its_new_results(lab: Headwater) -> None:
    told = report(lab, 2024)["credit"]
    assert {row["label"] for row in told["results"]} == {"paper", "model of r2", "model of r4"}
    assert told["by_kind"] == {"model": {"results": 2, "sum": 4 / 5 + 1}, "publication": {"results": 1, "sum": 4 / 5}}


def test_what_a_reader_may_not_see_is_counted_and_not_named(lab: Headwater, write: Write) -> None:
    secret = "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n" + run("hush", "v1", "2024-04-01T00:00:00Z", "", "bo")
    write(lab, "secret", secret, visibility="internal")
    told = report(lab, 2024, reader=GUEST)
    assert told["results"]["model"]["new"] == 2
    assert (told["completeness"]["hidden_count"], "hidden" in told["completeness"]["reasons"]) == (2, True)
    assert "hush" not in str(told)
    assert report(lab, 2024)["results"]["model"]["new"] == 3


@pytest.mark.parametrize("year", ["", "abc", "24", 2024.5, True, "-2024", "99999", 1200, "２０２４", None, 9999])
def test_a_year_that_is_none_or_has_not_begun_is_refused(lab: Headwater, year: Any) -> None:
    with pytest.raises(BadParameter) as caught:
        report(lab, year)
    assert caught.value.extra["parameter"] == "year"


def test_a_year_before_the_thing_is_refused_with_the_reason(lab: Headwater) -> None:
    with pytest.raises(BadParameter, match="not there yet at the end of 2022"):
        report(lab, 2022)


def test_what_is_not_here_is_not_found(lab: Headwater) -> None:
    with pytest.raises(NotFound):
        report(lab, 2024, thing="nothing")


def test_an_agent_a_paper_or_a_thing_without_users_gets_a_right_answer(lab: Headwater) -> None:
    assert named(report(lab, 2024, thing="ada")["results"]["model"]) == {"model of r2"}
    for thing in ("paper", "m-r4"):
        told = report(lab, 2024, thing=thing)
        assert (told["summary"]["total"], told["compute"]["year"]["hours"], told["credit"]["results"]) == (0, None, [])


# --- a project: everything that belongs to it

PROJECT = f"""@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
x:project a hw:Project ; rdfs:label "Project" . x:sub a hw:Project ; dcterms:isPartOf x:project .
x:data a hw:Dataset ; dcterms:isPartOf x:sub . x:data2 a hw:Dataset ; prov:wasRevisionOf x:data ; dcterms:isPartOf x:project .
x:eve a prov:Agent ; dcterms:isPartOf x:project .
{run("inside", "data", "2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z", "eve", **{"dcterms:isPartOf": "x:project"})}
{run("outside", "data2", "2024-02-01T00:00:00Z", "2024-02-01T01:00:00Z", "bo")}
x:other a hw:Dataset .
{run("elsewhere", "other", "2024-02-01T00:00:00Z", "2024-02-01T01:00:00Z", "eve")}
"""


def test_of_a_project_all_that_belongs_to_it_is_the_family_but_not_what_its_people_do_elsewhere(
    opened: Opening, write: Write
) -> None:
    headwater = opened(store="memory")
    write(headwater, "project", PROJECT)
    answer = headwater.benefits(f"{X}project", LOCAL)
    outside = {iri.removeprefix(X) for iri, node in answer["nodes"].items() if node["distance"]}
    assert outside == {"m-inside", "outside", "m-outside"}
    assert answer["summary"]["by_distance"] == {"1": 2, "2": 1}
    assert [(row["revision"].removeprefix(X), row["latest"]) for row in answer["uptake"]] == [("data", False), ("data2", True)]
    assert answer["compute"]["hours"] == 1.0
    told = headwater.benefit_report(f"{X}project", LOCAL, year=2024)
    assert named(told["results"]["model"]) == {"model of inside", "model of outside"}


def test_what_belonged_to_a_project_earlier_is_read_from_the_ledger(opened: Opening, write: Write) -> None:
    headwater = opened(store="memory")
    write(headwater, "project", PROJECT)
    write(headwater, "more", "x:other dcterms:isPartOf x:project .")
    assert f"{X}elsewhere" in headwater.benefits(f"{X}project", LOCAL)["nodes"]
    assert f"{X}elsewhere" not in headwater.benefits(f"{X}project", LOCAL, known_at=1)["nodes"]
    assert f"{X}outside" in headwater.benefits(f"{X}project", LOCAL, known_at=1)["nodes"]


# --- limits


def test_limits_of_what_is_shown_change_no_number(lab: Headwater) -> None:
    whole = lab.benefits(f"{X}v1", LOCAL)
    cut = lab.benefits(f"{X}v1", LOCAL, max_nodes=1, depth=0, fields="kind")
    for part in ("summary", "steps", "uptake", "credit", "compute"):
        assert cut[part] == whole[part], part
    assert sum(whole["summary"]["by_distance"].values()) == whole["summary"]["total"]
    assert sum(row["results"] for row in whole["summary"]["credit"].values()) == len(whole["credit"])
