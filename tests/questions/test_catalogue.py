"""The questions of `queries/`: each parses, says what it takes, and answers rightly on a small lab."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

from headwater import assets
from headwater.errors import BadParameter, NotFound
from headwater.questions.catalogue import BrokenQuestion, Question, bind, catalogue, find, in_category
from headwater.records.draft import Draft
from headwater.records.record import RecordMaker
from headwater.store.embedded import EmbeddedStore
from headwater.terms.minting import Mint

LAB = "https://lab.example/"
EVERY = catalogue(assets.folder("queries"))
QUESTIONS = in_category(EVERY)
VIEW = NamedNode("https://data.example/view/public")

EXPECTED: dict[str, tuple[dict[str, str], list[list[str]]]] = {
    "objects-of-kind": ({"kind": "model"}, [["Model", "model-a", "A"], ["Model", "model-b", "B"]]),
    "what-trained-this-model": (
        {"model": LAB + "model-a"},
        [["model-a", "fit", "data-1", "spectra 1", "train", "1", "sha256:" + "aa" * 32]],
    ),
    "what-uses-this-dataset": (
        {"dataset": LAB + "data-1"},
        [
            ["data-1", "fit", "fit", "train", "finished", "2026-01-01T10:00:00Z"],
            ["data-1", "crash", "crash", "", "failed", "2026-01-02T10:00:00Z"],
        ],
    ),
    "runs-of-a-project": (
        {"project": LAB + "project"},
        [
            ["project", "fit", "fit", "finished", "2026-01-01T10:00:00Z", ""],
            ["project", "crash", "crash", "failed", "2026-01-02T10:00:00Z", ""],
        ],
    ),
    "failed-runs": ({}, [["crash", "crash", "failed", "project", "2026-01-02T10:00:00Z"]]),
    "models-without-test-data": ({}, [["model-b", "B", ""]]),
    "names-of-things": (
        {},
        [["data-1", "spectra 1"], ["data-1", "sha256:" + "aa" * 32], ["model-b", "B"]],
    ),
    "changes-announced": (
        {},
        [["notice", "wrong lamps", "labels-corrected", "data-1", "data-1", "data-2", "2026-02-01T00:00:00Z"]],
    ),
    "measures-of-a-model": (
        {"model": LAB + "model-a"},
        [["model-a", "accuracy", "0.9", "", "evaluate", "test-1"], ["model-a", "loss", "0.25", "", "fit", ""]],
    ),
    "where-is-this-model-deployed": ({"model": LAB + "model-a"}, [["model-a", "release", "release 1", "1.0", "stage"]]),
    "papers-about-a-model": (
        {"model": LAB + "model-a"},
        [
            ["model-a", "review", "A review", "cites it"],
            ["model-a", "paper", "Spectra read by machines", "reports on it"],
        ],
    ),
}


@pytest.fixture(scope="module")
def store() -> EmbeddedStore:
    text = (Path(__file__).parent / "lab.ttl").read_bytes()
    triples = [quad.triple for quad in parse(text, format=RdfFormat.TURTLE)]
    record = RecordMaker(Mint("https://data.example/")).make(
        Draft("urn:lab", "lab.ttl", "lab", triples), "public", "rdf", "1", "asserted"
    )
    made = EmbeddedStore(None)
    statements: list[Triple] = [*record.asserted, *record.entailed]
    made.change([], [Quad(t.subject, t.predicate, t.object, VIEW) for t in statements], 1)
    return made


def _short(term: object) -> str:
    if term is None:
        return ""
    assert isinstance(term, NamedNode | Literal)
    return re.split(r"[/#]", term.value)[-1] if isinstance(term, NamedNode) else term.value


def test_every_question_has_an_expected_answer() -> None:
    assert set(QUESTIONS) == {*EXPECTED, "names-of-things"}


def test_the_search_reads_names_and_identifiers_of_everything(store: EmbeddedStore) -> None:
    rows = {(_short(thing), _short(name)) for thing, name in store.rows(QUESTIONS["names-of-things"].text, [VIEW])}
    assert {("model-a", "A"), ("model-b", "B"), ("data-1", "sha256:" + "a" * 64)} <= rows


@pytest.mark.parametrize("question", [QUESTIONS[name] for name in EXPECTED], ids=lambda question: question.name)
def test_a_question_answers_the_small_lab_as_a_person_would(question: Question, store: EmbeddedStore) -> None:
    given, expected = EXPECTED[question.name]
    rows = [[_short(term) for term in row] for row in store.rows(question.text, [VIEW], bind(question, given))]
    if "ORDER BY" in question.text:
        assert rows == expected
    else:  # a list of everything: these among others
        assert {tuple(row) for row in expected} <= {tuple(row) for row in rows}


@pytest.mark.parametrize("question", EVERY.values(), ids=lambda question: question.name)
def test_a_question_says_what_it_takes_and_returns(question: Question) -> None:
    columns = [variable.value for variable in Store().query(question.text).variables]  # type: ignore[union-attr]
    assert list(question.returns) == columns
    assert {parameter.name for parameter in question.parameters} <= set(columns)
    assert question.cost in ("lookup", "scan", "walk")
    assert question.summary.endswith("?")
    assert question.description


@pytest.mark.parametrize("question", EVERY.values(), ids=lambda question: question.name)
def test_no_question_joins_a_path_with_a_type(question: Question) -> None:
    """Such a join took over 40 s at 12,000 nodes where FILTER EXISTS took 88 ms."""
    body = re.sub(r"(?m)^#.*$", "", question.text)
    patterns = re.sub(r"FILTER (NOT )?EXISTS \{[^}]*\}", "", body)
    assert not (re.search(r"[\w>)][+*]\s", patterns) and re.search(r"\?\w+ (a|rdf:type) ", patterns))


def test_a_value_can_never_become_part_of_a_query(store: EmbeddedStore) -> None:
    question = find(QUESTIONS, "measures-of-a-model")
    with pytest.raises(BadParameter, match="must be an IRI"):
        bind(question, {"model": "urn:x> } ; DROP ALL ; { <urn:y"})
    text = "SELECT ?label { ?s <http://www.w3.org/2000/01/rdf-schema#label> ?label }"
    assert list(store.rows(text, [VIEW], {"label": Literal('" } UNION { ?s ?p ?label } #')})) == []


def test_wrong_parameters_are_named() -> None:
    question = find(QUESTIONS, "objects-of-kind")
    with pytest.raises(BadParameter, match=r"kinds are: .*dataset"):
        bind(question, {"kind": "datset"})
    with pytest.raises(BadParameter, match="no parameter 'sort'; it takes: kind"):
        bind(question, {"kind": "run", "sort": "name"})
    with pytest.raises(NotFound, match="no question called 'nope'"):
        find(QUESTIONS, "nope")


def test_identifiers_are_resolved_before_they_are_bound() -> None:
    question = find(QUESTIONS, "measures-of-a-model")
    assert bind(question, {"model": "mlflow:1"}, lambda text: f"urn:{text}") == {"model": NamedNode("urn:mlflow:1")}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "#+ summary: [",
        "#+ summary: x\n#+ sumary: y",
        "#+ summary: x\n#+ params: {a: {type: word, about: b}}",
        "#+ summary: x\n#+ params: [a]",
    ],
)
def test_a_broken_header_names_its_file(tmp_path: Path, header: str) -> None:
    (tmp_path / "mine.rq").write_text(header + "\nSELECT ?a { ?a ?b ?c }")
    with pytest.raises(BrokenQuestion, match=r"^mine\.rq: "):
        catalogue(tmp_path)


def test_a_default_is_bound_and_an_optional_parameter_without_one_stays_open(tmp_path: Path) -> None:
    header = "#+ summary: x?\n#+ params: {n: {type: integer, about: how many, default: 3}, s: {type: string, about: which}}\n"
    (tmp_path / "mine.rq").write_text(header + "SELECT ?n ?s {}")
    question = catalogue(tmp_path)["mine"]
    assert {name: term.value for name, term in bind(question, {}).items()} == {"n": "3"}
    assert {name: term.value for name, term in bind(question, {"s": "a", "n": "-7"}).items()} == {"n": "-7", "s": "a"}
    with pytest.raises(BadParameter, match="whole number"):
        bind(question, {"n": "1e9"})


def test_a_question_without_its_vocabulary_names_the_forms_that_there_are() -> None:
    with pytest.raises(NotFound) as refused:
        find(EVERY, "which-run-made-this-model")
    assert refused.value.remedy.endswith(
        "which-run-made-this-model.mex, which-run-made-this-model.mls, which-run-made-this-model.prov."
    )
