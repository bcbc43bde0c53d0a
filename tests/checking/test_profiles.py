"""Every requirement of every profile with an object that meets it and one that does not; scores, gaps, and what is lost next."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse

from headwater.checking.check_digits import fits
from headwater.checking.messages import messages
from headwater.checking.plan import BadShapes
from headwater.checking.profile_report import ProfileReport
from headwater.checking.profiles import Profile, profile, profile_names, subjects_of
from headwater.checking.report import SHAPES
from headwater.errors import BadParameter
from headwater.terms.names import HW, PROV, RDF

_HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_RUN = ":x a hw:Model ; prov:wasGeneratedBy :r . :r a mls:Run . "
_DATA = _RUN + ":r prov:used :d . :d a hw:Dataset ; rdfs:label 'digits' . "
_CODE = _RUN + ":r prov:used :s . :s a mls:Software . "


def _setting(name: str) -> str:
    return (
        _RUN + ":r mls:hasInput :p . :p a mls:HyperParameterSetting ; mls:specifiedBy :q ; mls:hasValue '1' . "
        f":q rdfs:label '{name}' ."
    )


# requirement: (an object :x that meets it, one that does not)
PAIRS: dict[str, tuple[str, str]] = {
    "core-name": (":x a hw:Instrument ; rdfs:label 'lamp' .", ":x a hw:Instrument ."),
    "core-pinned": (":x a hw:Software ; hw:version '1' .", ":x a hw:Software ."),
    "core-origin": (":x a hw:Dataset ; prov:wasDerivedFrom :d .", ":x a hw:Dataset ."),
    "core-time": (_RUN + ":r prov:startedAtTime '2026-01-01T00:00:00Z'^^xsd:dateTime .", _RUN),
    "core-person": (_RUN + ":r prov:wasAssociatedWith :a .", _RUN),
    "core-linked": (":x a hw:Publication ; hw:documents :m .", ":x a hw:Publication ."),
    "core-check-digits": (
        ":x a mls:Run ; prov:wasAssociatedWith <https://orcid.org/0000-0002-1825-0097> .",
        ":x a mls:Run ; prov:wasAssociatedWith :a . :a dcterms:identifier 'orcid:0000-0002-1825-0098' .",
    ),
    "retrain-run": (_RUN, ":x a hw:Model ."),
    "retrain-data": (_DATA, _RUN + ":r prov:used :d ; prov:qualifiedUsage [ prov:entity :d ; prov:hadRole hw:test ] ."),
    "retrain-data-pinned": (_DATA + f":d hw:digest 'sha256:{_HEX}' .", _DATA + ":d hw:version '1' ."),
    "retrain-data-found": (_DATA + ":d dcterms:identifier 'doi:10.5281/zenodo.1' .", _DATA),
    "retrain-code": (_CODE + ":s dcterms:identifier 'git:0a1b2c3' .", _CODE),
    "retrain-parameters": (_setting("C"), _RUN),
    "retrain-environment": (_RUN + ":r prov:used :e . :e a hw:Environment ; hw:requires 'numpy==2.3.3' .", _RUN),
    "retrain-seed": (_setting("random_state"), _setting("speed")),
    "retrain-compute": (_RUN + ":r hw:tag 'gpu=A100' .", _setting("gputils")),
    "loss-deleted": (_RUN + ":r hw:lifecycle 'active' .", _RUN + ":r hw:lifecycle 'deleted' ."),
    "loss-data-on-one-machine": (
        _DATA + ":d hw:location '/data/digits.csv', 's3://archive/digits.csv' .",
        _DATA + ":d hw:location '/data/digits.csv' .",
    ),
    "loss-model-on-one-machine": (_RUN + ":x hw:location 'mlflow-artifacts:/1/m' .", _RUN + ":x hw:location 'file:///a/m' ."),
    "loss-code-without-repository": (_CODE + ":s hw:location 'git@git.example:lab/digits.git' .", _CODE),
    "loss-packages-not-fixed": (
        _RUN + ":r prov:used :e . :e a hw:Environment ; hw:requires 'numpy==2.3.3' .",
        _RUN + ":r prov:used :e . :e a hw:Environment ; hw:requires 'numpy>=2' .",
    ),
    "loss-expiring": (
        _DATA + ":d hw:location 'https://a.example/d' .",
        _DATA + ":d hw:location 'https://a.example/d?sig=0a' .",
    ),
    "loss-temporary": (_DATA + ":d hw:location '/data/d.csv' .", _DATA + ":d hw:location '/tmp/d.csv' ."),
    "loss-moving": (_CODE + ":s hw:version '0a1b2c3' .", _CODE + ":s hw:version 'main' ."),
    "loss-nobody-to-ask": (_RUN + ":r prov:wasAssociatedWith :a .", _RUN),
    "publish-identifier": (
        ":x a hw:Dataset ; dcterms:identifier 'doi:10.5281/zenodo.1' .",
        ":x a hw:Dataset ; dcterms:identifier 'a1' .",
    ),
    "publish-creator": (_RUN + ":r prov:wasAssociatedWith :a .", _RUN),
    "publish-title": (":x a hw:Dataset ; dcterms:title 'd' .", ":x a hw:Dataset ."),
    "publish-publisher": (":x a hw:Dataset ; dcterms:publisher :o .", ":x a hw:Dataset ."),
    "publish-year": (":x a hw:Dataset ; dcterms:issued '2026' .", ":x a hw:Dataset ; dcterms:created '2026' ."),
    "publish-licence": (":x a hw:Dataset ; schema:license 'MIT' .", ":x a hw:Dataset ."),
    "publish-licence-known": (
        ":x a hw:Dataset ; dcterms:license <https://spdx.org/licenses/MIT> .",
        ":x a hw:Dataset ; dcterms:license 'for friends only' .",
    ),
    "publish-subject": (":x a hw:Dataset ; dcat:keyword 'digits' .", ":x a hw:Dataset ."),
    "publish-contributor": (":x a hw:Dataset ; dcterms:contributor :a .", ":x a hw:Dataset ."),
    "publish-date": (_RUN + ":r prov:endedAtTime '2026-01-01T00:00:00Z'^^xsd:dateTime .", _RUN),
    "publish-related": (":x a hw:Dataset ; prov:wasDerivedFrom :d .", ":x a hw:Dataset ."),
    "publish-description": (":x a hw:Dataset ; dcterms:description 'Scans.' .", ":x a hw:Dataset ."),
    "publish-place": (":x a hw:Dataset ; dcterms:spatial :dresden .", ":x a hw:Dataset ."),
    "publish-version": (":x a hw:Dataset ; hw:version '2' .", ":x a hw:Dataset ."),
    "publish-creator-orcid": (
        ":x a hw:Dataset ; dcterms:creator <https://orcid.org/0000-0002-1825-0097> .",
        ":x a hw:Dataset ; dcterms:creator :a . :a foaf:name 'A' .",
    ),
    "publish-check-digits": (
        ":x a hw:Dataset ; dcterms:publisher <https://ror.org/01zy2cs03> .",
        ":x a hw:Dataset ; dcterms:publisher <https://ror.org/01zy2cs04> .",
    ),
    "fair-metadata-pid": ("<https://doi.org/10.5281/zenodo.1> a hw:Dataset .", ":x a hw:Dataset ."),
    "fair-data-pid": (":x a hw:Dataset ; dcterms:identifier 'hdl:21.1/a' .", ":x a hw:Dataset ."),
    "fair-metadata-unique": ("<https://data.example/d> a hw:Dataset .", "<http://127.0.0.1:8321/id/dataset/d> a hw:Dataset ."),
    "fair-data-unique": (f":x a hw:Dataset ; hw:digest 'sha256:{_HEX}' .", ":x a hw:Dataset ."),
    "fair-rich": (":x a hw:Dataset ; rdfs:label 'd' ; dcat:keyword 'digits' .", ":x a hw:Dataset ; rdfs:label 'd' ."),
    "fair-names-data": (":x a hw:Dataset ; hw:location '/data' .", ":x a hw:Dataset ."),
    "fair-access": (":x a hw:Dataset ; dcat:landingPage <https://a.example/> .", ":x a hw:Dataset ."),
    "fair-protocol": (":x a hw:Dataset ; dcat:downloadURL <https://a.example/d> .", ":x a hw:Dataset ; hw:location '/data' ."),
    "fair-vocabularies": (":x a hw:Dataset .", ":x a hw:Dataset ."),
    "fair-references": (":x a hw:Publication ; hw:cites :m .", ":x a hw:Publication ."),
    "fair-qualified": (
        ":x a mls:Run ; prov:used :d ; prov:qualifiedUsage [ prov:entity :d ; prov:hadRole hw:train ] .",
        ":x a mls:Run ; prov:used :d .",
    ),
    "fair-attributes": (
        ":x a hw:Dataset ; dcterms:creator :a ; dcterms:created '2026' .",
        ":x a hw:Dataset ; dcterms:creator :a .",
    ),
    "fair-licence": (":x a hw:Dataset ; dcterms:license 'MIT' .", ":x a hw:Dataset ."),
    "fair-licence-standard": (
        ":x a hw:Dataset ; dcterms:license <https://creativecommons.org/licenses/by/4.0/> .",
        ":x a hw:Dataset ; dcterms:license <https://lab.example/house-rules> .",
    ),
    "fair-licence-readable": (
        ":x a hw:Dataset ; dcterms:license 'CC-BY-4.0' .",
        ":x a hw:Dataset ; dcterms:license 'free, mostly' .",
    ),
    "fair-provenance": (":x a hw:Dataset ; prov:wasRevisionOf :d .", ":x a hw:Dataset ."),
    "fair-provenance-prov": (":x a hw:Dataset ; prov:wasAttributedTo :a .", ":x a hw:Dataset ; dcterms:creator :a ."),
}
# What follows from the classes alone: nothing that the ontology knows can lack it, so that no bad example can be written.
ALWAYS_MET = {"publish-type", "fair-vocabularies"}
# Asked only when somebody went to look; tests/checking/test_places.py has their examples.
AFTER_A_LOOK = {"retrain-data-there", "retrain-data-unaltered", "loss-last-place"}
_OF_FILE = {"core": "core", "retrain": "retrain-ready", "loss": "retrain-ready", "publish": "publication", "fair": "fair"}


def _judged(record, turtle: str, name: str) -> ProfileReport:  # type: ignore[no-untyped-def]
    made = record(turtle)
    focus = made.asserted[0].subject.value if turtle.startswith("<") else "urn:example:x"
    report = profile(name).judge(focus, subjects_of([*made.asserted, *made.entailed]))
    assert report is not None
    return report


def _open(report: ProfileReport) -> set[str]:
    return {gap.requirement.shape.removeprefix(SHAPES) for gap in (*report.gaps, *report.lost_next)}


def test_every_requirement_has_a_good_and_a_bad_example() -> None:
    asked = {one.shape.removeprefix(SHAPES) for name in profile_names() for one in profile(name).requirements}
    assert asked == PAIRS.keys() | ALWAYS_MET | AFTER_A_LOOK


@pytest.mark.parametrize("requirement", sorted(PAIRS.keys() - ALWAYS_MET))
def test_the_good_meets_it_and_the_bad_does_not(requirement: str, record) -> None:  # type: ignore[no-untyped-def]
    good, bad = PAIRS[requirement]
    name = _OF_FILE[requirement.partition("-")[0]]
    assert requirement not in _open(_judged(record, good, name))
    assert requirement in _open(_judged(record, bad, name))


@pytest.mark.parametrize("name", profile_names())
def test_every_requirement_is_named_and_explained_in_english_and_german(name: str) -> None:
    found = profile(name)
    assert found.titles.keys() == found.abouts.keys() == {"en", "de"}
    for one in found.requirements:
        said = messages(one.shape)
        assert one.names.keys() == said.keys() == {"en", "de"}, one.shape
        for text in said.values():
            assert len(re.split(r"(?<=[.:]) (?=[A-ZÄÖÜ])", text)) >= 2, text
        words = r"\b(?:hw|prov|mls|rdfs|dcterms|dcat|schema):[A-Za-z-]+"
        assert set(re.findall(words, said["en"])) == set(re.findall(words, said["de"])), one.shape
    orders = [one.order for one in found.requirements]
    assert len(set(orders)) == len(orders)


def test_the_fair_profile_names_an_indicator_for_each_requirement_and_no_other_does() -> None:
    indicators = [one.indicator for one in profile("fair").requirements]
    assert len(set(indicators)) == len(indicators)
    assert all(one and re.fullmatch(r"RDA-[FAIR]\d(\.\d)?-\d\d[MD]", one) for one in indicators)
    assert not any(one.indicator for one in profile("publication").requirements)


_WHOLE = (
    _DATA
    + _setting("seed").removeprefix(_RUN)
    + f""" :d hw:digest 'sha256:{_HEX}' ; dcat:downloadURL <https://a.example/d> ; rdfs:label 'digits' .
    :x rdfs:label 'svm' . :r prov:used :s, :e ; prov:wasAssociatedWith :a ; hw:tag 'device=cpu' .
    :s a mls:Software ; hw:version '1' ; hw:location 'https://git.example/lab/digits' . :e a hw:Environment ; hw:digest 'a:b' ."""
)


def test_a_model_with_all_around_it_is_ready_to_retrain(record) -> None:  # type: ignore[no-untyped-def]
    report = _judged(record, _WHOLE, "retrain-ready")
    assert report.headline() == "Ready to retrain: 9 of 9"
    assert report.headline("de") == "Bereit zum Nachtrainieren: 9 von 9"
    assert report.score == 1
    assert report.conforms
    assert report.sentences() == []
    assert report.lost_next == ()
    assert b"sh:conforms true" in report.turtle()


def test_what_only_should_be_there_lowers_the_score_and_not_the_verdict(record) -> None:  # type: ignore[no-untyped-def]
    report = _judged(record, _WHOLE.replace("hw:tag 'device=cpu'", "hw:tag 'a=b'"), "retrain-ready")
    assert (report.fulfilled, report.total, report.conforms) == (8, 9, True)
    report = _judged(record, _WHOLE.replace(":e a hw:Environment", ":e a hw:Slice"), "retrain-ready")
    assert (report.fulfilled, report.total, report.conforms) == (8, 9, False)


def test_nothing_is_met_by_not_being_there(record) -> None:  # type: ignore[no-untyped-def]
    assert _judged(record, ":x a hw:Model .", "retrain-ready").fulfilled == 0


def test_a_gap_names_the_things_at_fault_and_only_these(record) -> None:  # type: ignore[no-untyped-def]
    more = _WHOLE + " :r prov:used :d2, :t . :d2 a hw:Dataset ; rdfs:label 'more digits' . :t a hw:Dataset . "
    more += ":r prov:qualifiedUsage [ prov:entity :t ; prov:hadRole hw:test ] ."
    report = _judged(record, more, "retrain-ready")
    pinned = next(gap for gap in report.missing if gap.requirement.shape.endswith("data-pinned"))
    assert [value.value for value, _ in pinned.values] == ["urn:example:d2"]
    assert pinned.sentence().endswith("(about: more digits)")
    assert pinned.sentence("de").endswith("(betrifft: more digits)")


def test_what_would_be_lost_next_comes_in_the_order_of_its_urgency(record) -> None:  # type: ignore[no-untyped-def]
    report = _judged(record, _DATA + ":r hw:lifecycle 'deleted' . :d hw:location '/a' . :x hw:location '/b' .", "retrain-ready")
    assert [gap.requirement.order for gap in report.lost_next] == [21, 22, 23, 26]
    assert not {one.shape for one in report.met} & {gap.requirement.shape for gap in report.lost_next}


def test_the_shacl_report_holds_each_gap_in_both_languages(record) -> None:  # type: ignore[no-untyped-def]
    report = _judged(record, _DATA, "retrain-ready")
    quads = list(parse(report.turtle(), format=RdfFormat.TURTLE))
    shapes = {quad.object.value for quad in quads if quad.predicate.value.endswith("#sourceShape")}
    assert shapes == {gap.requirement.shape for gap in (*report.gaps, *report.lost_next)}
    languages = {quad.object.language for quad in quads if quad.predicate.value.endswith("#resultMessage")}
    assert languages == {"en", "de"}


def test_the_dictionary_speaks_the_language_asked_for(record) -> None:  # type: ignore[no-untyped-def]
    told = _judged(record, _RUN, "retrain-ready").as_dict("de")
    assert told["title"] == "Bereit zum Nachtrainieren"
    assert told["missing"][0]["name"] == "die Trainingsdaten"
    assert told["sentences"][0].startswith("Keine Trainingsdaten")
    assert told["score"] == round(told["fulfilled"] / told["total"], 4)


def test_a_profile_has_nothing_to_say_of_another_kind(record) -> None:  # type: ignore[no-untyped-def]
    made = record(":x a hw:Dataset .")
    assert profile("retrain-ready").judge("urn:example:x", subjects_of([*made.asserted, *made.entailed])) is None
    assert profile("retrain-ready").judge("urn:nobody", subjects_of([])) is None


def test_an_unknown_profile_is_refused_with_the_list() -> None:
    with pytest.raises(BadParameter, match="core, fair, publication, retrain-ready"):
        profile("perfect")


@pytest.mark.parametrize("text", ["no turtle", "<urn:a> <urn:b> <urn:c> ."])
def test_a_file_that_is_no_profile_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "own.ttl").write_text(text)
    with pytest.raises(BadShapes):
        Profile(tmp_path / "own.ttl")


def test_a_cycle_is_walked_once_and_a_hub_is_cut_and_said_so() -> None:
    model, run = NamedNode("urn:m"), NamedNode("urn:r")
    kind = Triple(model, RDF.type, HW.Model)
    cycle = [kind, Triple(model, PROV.wasGeneratedBy, run), Triple(run, PROV.used, model)]
    report = profile("retrain-ready").judge("urn:m", subjects_of(cycle))
    assert report is not None
    assert report.complete
    hub = [*cycle, *(Triple(run, PROV.used, NamedNode(f"urn:d{n}")) for n in range(20_001))]
    report = profile("core").judge("urn:m", subjects_of(hub))
    assert report is not None
    assert report.complete
    assert Profile.judge(_short_sighted(), "urn:m", subjects_of(hub)).complete is False  # type: ignore[union-attr]


def _short_sighted() -> Profile:
    made = Profile(Path(__file__).parents[2] / "shapes" / "profiles" / "core.ttl")
    made._follows = made._follows | {PROV.used.value}
    made._mentioned = made._mentioned | {PROV.used.value}
    return made


def test_labels_cannot_forge_lines_of_a_sentence(record) -> None:  # type: ignore[no-untyped-def]
    hostile = _DATA.replace("'digits'", "'a\\\\nFake: all is well\\\\u202e'")
    for sentence in _judged(record, hostile, "retrain-ready").sentences():
        assert sentence.isprintable()


def test_threads_may_share_a_profile(record) -> None:  # type: ignore[no-untyped-def]
    documents = [_DATA, _CODE, _RUN, _WHOLE] * 2
    expected = [_judged(record, text, "retrain-ready") for text in documents]
    found: dict[int, ProfileReport] = {}

    def judge(number: int) -> None:
        found[number] = _judged(record, documents[number], "retrain-ready")

    threads = [threading.Thread(target=judge, args=(number,)) for number in range(len(documents))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(len(documents))] == expected


@pytest.mark.parametrize(
    ("identifier", "right"),
    [
        ("orcid:0000-0002-1694-233X", True),
        ("https://orcid.org/0000-0002-1694-2330", False),
        ("ror:04wxnsj81", True),
        ("https://ror.org/04wxnsj82", False),
        ("orcid:0000-0002", None),
        ("doi:10.5281/zenodo.1", None),
    ],
)
def test_check_digits_are_summed_as_orcid_and_ror_do(identifier: str, right: bool | None) -> None:
    assert fits(identifier) is right


def test_a_literal_as_focus_of_a_link_is_no_thing() -> None:
    said = [Triple(NamedNode("urn:m"), RDF.type, HW.Model), Triple(NamedNode("urn:m"), PROV.wasGeneratedBy, Literal("a run"))]
    report = profile("retrain-ready").judge("urn:m", subjects_of(said))
    assert report is not None
    assert report.fulfilled == 1
