"""Every constraint of shapes/ with something that it lets pass and something that it catches."""

from __future__ import annotations

import re

import pytest

from headwater.checking.gate import Gate
from headwater.checking.messages import messages
from headwater.checking.report import SHAPES
from headwater.terms.vocabulary import vocabulary

_HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_CHANGE = ":c a hw:Change ; hw:changeKind hw:labels-corrected ; hw:changedObject :v1 "

_STATEMENT = ':s a hw:Statement ; hw:regarding :c ; hw:says "in_triage" ; '


def _thing_not_text(predicate: str) -> tuple[str, str]:
    return f":a {predicate} :b .", f':a {predicate} "b" .'


# shape: (what passes, what is caught)
PAIRS: dict[str, tuple[str, str]] = {
    "run-is-no-entity": (":r a mls:Run ; prov:used :d . :d a mls:Dataset .", ":r a mls:Run . :x prov:wasDerivedFrom :r ."),
    "run-status": (':r hw:status "failed" .', ':r hw:status "FAILED" .'),
    "run-one-status": (':r hw:status "failed" .', ':r hw:status "failed", "running" .'),
    "run-start": (':r a mls:Run ; prov:startedAtTime "2026-01-01T00:00:00Z"^^xsd:dateTime .', ":r a mls:Run ."),
    "run-code": (":r a mls:Run ; prov:used :s . :s a mls:Software .", ":r a mls:Run ; prov:used :d . :d a mls:Dataset ."),
    "run-label": (':r a mls:Run ; rdfs:label "r" .', ":r a mls:Run ."),
    "dataset-pinned": (':d a mls:Dataset ; hw:version "2" .', ":d a mls:Dataset ."),
    "dataset-label": (':d a dcat:Dataset ; dcterms:title "d" .', ":d a dcat:Dataset ."),
    "model-made-by-a-run": (":m a mls:Model . :r mls:hasOutput :m .", ":m a mls:Model ."),
    "model-label": (':m a mls:Model ; schema:name "m" .', ":m a mls:Model ."),
    "software-version": (':s a mls:Software ; hw:version "1" .', ":s a mls:Software ."),
    "software-label": (':s a mls:Software ; rdfs:label "s" .', ":s a mls:Software ."),
    "environment-pinned": (':e a hw:Environment ; hw:version "1" .', ":e a hw:Environment ."),
    "environment-label": (':e a hw:Environment ; rdfs:label "e" .', ":e a hw:Environment ."),
    "publication-doi": ("<https://doi.org/10.5281/zenodo.1> a hw:Publication .", ":p a hw:Publication ."),
    "publication-label": (':p a hw:Publication ; rdfs:label "p" .', ":p a hw:Publication ."),
    "instrument-label": (':i a hw:Instrument ; rdfs:label "i" .', ":i a hw:Instrument ."),
    "project-label": (':p a hw:Project ; rdfs:label "p" .', ":p a hw:Project ."),
    "workflow-label": (':w a hw:Workflow ; rdfs:label "w" .', ":w a hw:Workflow ."),
    "deployment-label": (':d a hw:Deployment ; rdfs:label "d" .', ":d a hw:Deployment ."),
    "agent-name": (':a a prov:Person ; foaf:name "A" .', ":a a prov:Person ."),
    "deployment-deploys-something": (":d a hw:Deployment ; hw:deploys :m .", ":d a hw:Deployment ."),
    "deploys-a-thing": _thing_not_text("hw:deploys"),
    "deploys-not-itself": (":d hw:deploys :m .", ":d hw:deploys :d ."),
    "used-a-thing": _thing_not_text("prov:used"),
    "was-generated-by-a-thing": _thing_not_text("prov:wasGeneratedBy"),
    "generated-a-thing": _thing_not_text("prov:generated"),
    "was-derived-from-a-thing": _thing_not_text("prov:wasDerivedFrom"),
    "was-revision-of-a-thing": _thing_not_text("prov:wasRevisionOf"),
    "was-informed-by-a-thing": _thing_not_text("prov:wasInformedBy"),
    "was-associated-with-a-thing": _thing_not_text("prov:wasAssociatedWith"),
    "was-attributed-to-a-thing": _thing_not_text("prov:wasAttributedTo"),
    "specialization-of-a-thing": _thing_not_text("prov:specializationOf"),
    "qualified-usage-a-thing": (":r prov:qualifiedUsage [ prov:entity :d ] .", ':r prov:qualifiedUsage "d" .'),
    "documents-a-thing": _thing_not_text("hw:documents"),
    "controls-a-thing": _thing_not_text("hw:controls"),
    "evaluates-a-thing": _thing_not_text("hw:evaluates"),
    "measured-on-a-thing": _thing_not_text("hw:measuredOn"),
    "cites-a-thing": _thing_not_text("schema:citation"),
    "slice-a-thing": (':c hw:slice [ hw:file "a.csv" ] .', ':c hw:slice "a.csv" .'),
    "usage-names-its-end": (":r prov:qualifiedUsage [ prov:entity :d ] .", ":r prov:qualifiedUsage :u ."),
    "usage-names-one-end": (":u a prov:Usage ; prov:entity :d .", ":u a prov:Usage ; prov:entity :d, :e ."),
    "usage-names-a-thing": (":u a prov:Usage ; prov:entity :d .", ':u a prov:Usage ; prov:entity "d" .'),
    "association-names-one-end": (":x a prov:Association ; prov:hadPlan :p .", ":x a prov:Association ; prov:agent :a, :b ."),
    "association-names-a-thing": (":x a prov:Association ; prov:agent :a .", ':x a prov:Association ; prov:agent "a" .'),
    "derivation-names-its-end": (
        ":x prov:qualifiedDerivation [ prov:entity :d ] .",
        ":x prov:qualifiedDerivation [ rdfs:label '?' ] .",
    ),
    "derivation-names-one-end": (":x a prov:Derivation ; prov:entity :d .", ":x a prov:Derivation ; prov:entity :d, :e ."),
    "derivation-names-a-thing": (":x a prov:Derivation ; prov:entity :d .", ':x a prov:Derivation ; prov:entity "d" .'),
    "attribution-names-one-end": (":x a prov:Attribution ; prov:agent :a .", ":x a prov:Attribution ; prov:agent :a, :b ."),
    "attribution-names-a-thing": (":x a prov:Attribution ; prov:agent :a .", ':x a prov:Attribution ; prov:agent "a" .'),
    "generation-names-one-run": (
        ':x a prov:Generation ; prov:atTime "2026-01-01T00:00:00Z"^^xsd:dateTime .',
        ":x a prov:Generation ; prov:activity :a, :b .",
    ),
    "role-known": (":u prov:hadRole hw:train . :v prov:hadRole <http://other.example/role> .", ":u prov:hadRole hw:trane ."),
    "evidence-known": (":u hw:evidence hw:observed .", ":u hw:evidence hw:seen ."),
    "evidence-one": (":u hw:evidence hw:observed .", ":u hw:evidence hw:observed, hw:declared ."),
    "revision-not-of-itself": (":v2 prov:wasRevisionOf :v1 .", ":v1 prov:wasRevisionOf :v1 ."),
    "specialization-not-of-itself": (":v1 prov:specializationOf :d .", ":d prov:specializationOf :d ."),
    "slice-run-number": (":s hw:firstRun 1 .", ':s hw:lastRun "last" .'),
    "slice-runs-in-order": (":s hw:firstRun 1 ; hw:lastRun 1 .", ":s hw:firstRun 20 ; hw:lastRun 3 ."),
    "slice-time-form": (':s hw:after "2026-03-01T00:00:00Z"^^xsd:dateTime .', ':s hw:after "last week" .'),
    "slice-times-in-order": (
        ':s hw:after "2026-03-01T00:00:00Z"^^xsd:dateTime ; hw:before "2026-03-02T00:00:00Z"^^xsd:dateTime .',
        ':s hw:after "2026-03-02T00:00:00Z"^^xsd:dateTime ; hw:before "2026-03-01T00:00:00Z"^^xsd:dateTime .',
    ),
    "run-ends-after-it-began": (
        ':r prov:startedAtTime "2026-03-01T01:00:00+02:00"^^xsd:dateTime ; '
        'prov:endedAtTime "2026-03-01T00:30:00Z"^^xsd:dateTime .',
        ':r prov:startedAtTime "2026-03-02T00:00:00"^^xsd:dateTime ; prov:endedAtTime "2026-03-01T00:00:00"^^xsd:dateTime .',
    ),
    "run-time-readable": (
        ':r prov:startedAtTime "2026-03-01T00:00:00Z"^^xsd:dateTime .',
        ':r prov:startedAtTime "yesterday"^^xsd:dateTime .',
    ),
    "statement-about-one-thing": (_STATEMENT + "hw:about :m .", _STATEMENT + "hw:about :m, :n ."),
    "statement-regards-one-change": (_STATEMENT + "hw:about :m .", _STATEMENT + "hw:about :m ; hw:regarding :d ."),
    "statement-says-one-state": (_STATEMENT + "hw:about :m .", _STATEMENT + 'hw:about :m ; hw:says "cannot_tell" .'),
    "statement-not-affected-has-reason": (
        ':s a hw:Statement ; hw:about :m ; hw:regarding :c ; hw:says "not_affected" ; rdfs:comment "left out by hand" .',
        ':s a hw:Statement ; hw:about :m ; hw:regarding :c ; hw:says "not_affected" .',
    ),
    "statement-has-author": (_STATEMENT + "hw:about :m ; prov:wasAttributedTo :ada .", _STATEMENT + "hw:about :m ."),
    "change-has-kind": (_CHANGE + ".", ":c a hw:Change ; hw:changedObject :v1 ."),
    "change-one-kind": (_CHANGE + ".", _CHANGE + "; hw:changeKind hw:retracted ."),
    "change-kind-known": (_CHANGE + ".", ":c a hw:Change ; hw:changeKind hw:improved ; hw:changedObject :v1 ."),
    "change-has-object": (_CHANGE + ".", ":c a hw:Change ; hw:changeKind hw:retracted ."),
    "change-object-a-thing": (_CHANGE + "; hw:toRevision :v2 .", _CHANGE + '; hw:toRevision "v2" .'),
    "change-one-from-revision": (_CHANGE + "; hw:fromRevision :v1 .", _CHANGE + "; hw:fromRevision :v1, :v0 ."),
    "change-between-two-revisions": (
        _CHANGE + "; hw:fromRevision :v1 ; hw:toRevision :v2 .",
        _CHANGE + "; hw:fromRevision :v1 ; hw:toRevision :v1 .",
    ),
    "change-time": (_CHANGE + '; prov:atTime "2026-03-01T00:00:00Z"^^xsd:dateTime .', _CHANGE + "."),
    "digest-form": (':d hw:digest "md5:0cc175b9", "mlflow:ab12cd34" .', ':d hw:digest "0cc175b9" .'),
    "digest-sha256": (f':d hw:digest "sha256:{_HEX}" .', f':d hw:digest "sha256:{_HEX[:-1]}" .'),
    "identifier-doi": (
        ':p dcterms:identifier "doi:10.5281/zenodo.1", "https://doi.org/10.1/x y", "other" .'.replace("10.1/x y", "10.1000/x"),
        ':p dcterms:identifier "doi:zenodo.1" .',
    ),
    "identifier-orcid": (
        ':a schema:identifier "https://orcid.org/0000-0002-1825-0097" .',
        ':a dcterms:identifier "orcid:0000-0002" .',
    ),
    "identifier-ror": (':o dcterms:identifier "ror:02mhbdp94" .', ':o schema:identifier "https://ror.org/12345" .'),
    "evaluation-has-value": (":e a mls:ModelEvaluation ; mls:hasValue 0.9 .", ":e a mls:ModelEvaluation ."),
    "measure-step": (":e hw:step 3 .", ':e hw:step "third" .'),
    "measure-points": (":e hw:points 3 .", ":e hw:points -1 ."),
    "identifier-swhid": (
        f':s dcterms:identifier "swh:1:rev:{_HEX[:40]}", "swhid:swh:1:cnt:{_HEX[:40]};origin=https://a.example/b" .',
        ':s dcterms:identifier "swh:1:rev:309cf26" .',
    ),
    "identifier-handle": (
        ':d dcterms:identifier "hdl:21.11125/abc", "https://hdl.handle.net/2027/x" .',
        ':d schema:identifier "hdl:abc" .',
    ),
    "identifier-git": (f':s dcterms:identifier "git:{_HEX[:40]}" .', ':s dcterms:identifier "git:309cf26" .'),
    "digest-length": (
        f':d hw:digest "md5:{_HEX[:32]}", "md5:{_HEX[:32]}.dir", "sha1:{_HEX[:40]}", "sha512:{_HEX}{_HEX}" .',
        ':d hw:digest "md5:0cc175b9" .',
    ),
    "agent-iri": (
        "<https://orcid.org/0000-0002-1825-0097> a prov:Person . <https://ror.org/02mhbdp94> a prov:Agent . :a a prov:Agent .",
        "<https://orcid.org/0000-0002> a prov:Person .",
    ),
    "run-one-start": (
        ':r prov:startedAtTime "2026-03-01T00:00:00Z"^^xsd:dateTime .',
        ':r prov:startedAtTime "2026-03-01T00:00:00Z"^^xsd:dateTime, "2026-03-02T00:00:00Z"^^xsd:dateTime .',
    ),
    "run-one-end": (
        ':r prov:endedAtTime "2026-03-01T00:00:00Z"^^xsd:dateTime .',
        ':r prov:endedAtTime "2026-03-01T00:00:00Z"^^xsd:dateTime, "2026-03-02T00:00:00Z"^^xsd:dateTime .',
    ),
    "moment-readable": (
        ':m prov:generatedAtTime "2026-03-01T00:00:00.25+01:00"^^xsd:dateTime .',
        ':m prov:generatedAtTime "last spring" .',
    ),
    "date-readable": (
        ':p dcterms:issued "2026", "2026-03"^^xsd:gYearMonth, "2026-03-01"^^xsd:date, "2026-03-01T00:00:00Z"^^xsd:dateTime .',
        ':p dcterms:issued "1 March 2026" .',
    ),
    "evaluation-names-measure": (
        ":e a mls:ModelEvaluation ; mls:specifiedBy :accuracy ; mls:hasValue 0.9 .",
        ":e a mls:ModelEvaluation ; mls:hasValue 0.9 .",
    ),
    "setting-has-value": (":s a mls:HyperParameterSetting ; mls:hasValue 3 .", ":s a mls:HyperParameterSetting ."),
    "setting-names-parameter": (":s a mls:HyperParameterSetting ; mls:specifiedBy :c .", ":s a mls:HyperParameterSetting ."),
    "unit-a-thing": (
        ":e <http://qudt.org/schema/qudt/unit> <http://qudt.org/vocab/unit/MilliM> .",
        ':e <http://qudt.org/schema/qudt/unit> "mm" .',
    ),
    "unit-code": (':e schema:unitCode "MMT", "http://qudt.org/vocab/unit/MilliM" .', ':e schema:unitCode "milli metres" .'),
    "slice-narrows": (':c hw:slice [ hw:labelClass "7" ] .', ':c hw:slice [ hw:files "a.csv" ] .'),
    "slice-says-no-more": (
        ':c hw:slice [ a hw:Slice ; hw:labelClass "7" ; rdfs:label "sevens" ; dcterms:description "as labelled in May" ] .',
        ':c hw:slice [ hw:after "2026-03-01T00:00:00Z"^^xsd:dateTime ; hw:labelClas "7" ] .',
    ),
    "derivation-not-of-itself": (":b prov:wasDerivedFrom :a .", ":a prov:wasDerivedFrom :a ."),
    "documents-not-itself": (":p hw:documents :m .", ":p hw:documents :p ."),
    "controls-not-itself": (":m hw:controls :i .", ":i hw:controls :i ."),
    "part-not-of-itself": (":r dcterms:isPartOf :p .", ":p dcterms:isPartOf :p ."),
    "workflow-version": (':w a hw:Workflow ; hw:version "1" .', ":w a hw:Workflow ."),
    "name-not-empty": (':d rdfs:label "d", "数" .', ':d rdfs:label "  " .'),
    "name-one-per-language": (':d skos:prefLabel "data"@en, "Daten"@de .', ':d skos:prefLabel "data"@en, "figures"@en .'),
    "language-tag": (
        ':d dcterms:language "pt-BR", <http://id.loc.gov/vocabulary/iso639-1/de> .',
        ':d schema:inLanguage "English, mostly" .',
    ),
    "licence-known": (
        ':d dcterms:license <https://spdx.org/licenses/CC-BY-4.0> ; schema:license "GPL-2.0-only WITH Classpath-exception-2.0" .',
        ':d dcterms:license "free for research" .',
    ),
}


def _shapes(report) -> set[str]:  # type: ignore[no-untyped-def]
    return {result.shape.removeprefix(SHAPES) for result in report.results}


def test_every_shape_has_a_good_and_a_bad_example(gate: Gate) -> None:
    assert {plan.iri.removeprefix(SHAPES) for plan in gate.plans} == PAIRS.keys()


@pytest.mark.parametrize("shape", PAIRS)
def test_the_good_passes_and_the_bad_is_caught(shape: str, gate: Gate, slow_gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    good, bad = (record(text) for text in PAIRS[shape])
    assert shape not in _shapes(gate.check([good])[good.iri])
    caught = gate.check([bad])[bad.iri]
    assert shape in _shapes(caught)
    severity = next(plan.severity for plan in gate.plans if plan.iri == SHAPES + shape)
    assert caught.conforms is not (severity == "violation" or bool(caught.violations))
    for one in (good, bad):
        assert gate.check([one]) == slow_gate.check([one])


def test_what_passes_one_violation_shape_passes_all(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    for good, _ in PAIRS.values():
        assert gate.check([record(good)])["urn:record"].violations == ()


def test_each_message_says_what_is_wrong_and_then_how_to_mend_it(gate: Gate) -> None:
    for plan in gate.plans:
        sentences = re.split(r"(?<=[.:]) (?=[A-Z])", plan.message)
        assert len(sentences) >= 2, plan.message
        assert plan.message.rstrip()[-1] in ".?", plan.message
        assert plan.message[0].isupper() or ":" in plan.message.split()[0], plan.message


def test_each_message_is_there_in_english_and_german(gate: Gate) -> None:
    for plan in gate.plans:
        said = messages(plan.iri)
        assert said.keys() == {"en", "de"}, plan.iri
        assert said["en"] == plan.message
        assert len(re.split(r"(?<=[.:]) (?=[A-ZÄÖÜ])", said["de"])) >= 2, said["de"]
        # What is to be written into a file is the same in both languages.
        words = r"\b(?:hw|prov|mls|rdfs|dcterms|schema|skos|foaf):[A-Za-z-]+"
        assert set(re.findall(words, said["en"])) == set(re.findall(words, said["de"])), plan.iri


def test_the_word_lists_of_the_shapes_are_those_of_the_ontology(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    words = vocabulary()
    for role in words.roles:
        conforms = gate.check([record(f":u prov:hadRole <{role.iri}> .")])["urn:record"].conforms
        assert conforms is role.stated, role.name
    for name in words.evidence:
        assert gate.check([record(f":u hw:evidence hw:{name} .")])["urn:record"].conforms, name
    for name in words.changes:
        one = record(f":c a hw:Change ; hw:changedObject :d ; hw:changeKind hw:{name} .")
        assert gate.check([one])["urn:record"].conforms, name


def test_a_word_stays_unknown_when_a_record_declares_it(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    own = record(":c a hw:Change ; hw:changedObject :d ; hw:changeKind hw:mine . hw:mine a hw:ChangeKind .")
    assert not gate.check([own])["urn:record"].conforms


def test_a_cycle_passes(gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    cycle = record(":r a mls:Run ; prov:used :d ; prov:generated :d . :m hw:controls :i . :r prov:used :i .")
    assert gate.check([cycle])["urn:record"].conforms


def test_a_software_agent_that_was_started_passes(gate: Gate, slow_gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    engine = record(":e a prov:SoftwareAgent ; prov:wasInformedBy :r . :r prov:wasAssociatedWith :e .")
    assert gate.check([engine])["urn:record"].violations == ()
    assert slow_gate.check([engine])["urn:record"].violations == ()


def test_times_of_which_only_one_has_a_zone_are_not_judged(gate: Gate, slow_gate: Gate, record) -> None:  # type: ignore[no-untyped-def]
    mixed = record(
        ':r prov:startedAtTime "2026-03-02T00:00:00Z"^^xsd:dateTime ; prov:endedAtTime "2026-03-01T00:00:00"^^xsd:dateTime .'
    )
    assert gate.check([mixed])["urn:record"].conforms
    assert slow_gate.check([mixed])["urn:record"].conforms
