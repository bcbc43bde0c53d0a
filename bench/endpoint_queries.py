"""What SPARQL servers are asked in the comparison: questions of the product, look-ups as pages make them, features one by one.

Texts are plain SPARQL 1.1, so that each server can answer them; `$model` and the like stand for things that are drawn from the
data with a seed. No answer depends on the order of equals, so that answers can be compared between servers as bags of rows.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PREFIXES = """PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX hw: <https://w3id.org/headwater/terms#>
PREFIX mls: <http://www.w3.org/ns/mls#>
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
"""
_NAME = re.compile(rb"<([^>]*/id/(dataset|model|run|publication|deployment|software|change)/[^#>]+)> <[^>]*#type>")
_PART = re.compile(rb"<([^>]*/id/run/[^#>]+#use\d+)> <[^>]*#type>")
_HOLE = re.compile(r"\$(\w+)")

QUESTIONS = {
    "what-trained-this-model": """SELECT DISTINCT ?run ?thing ?label ?role ?digest {
        $model prov:wasGeneratedBy ?run . ?run prov:qualifiedUsage ?use . ?use prov:entity ?thing ; prov:hadRole ?role
        FILTER (?role IN (hw:train, hw:finetune, hw:pretrain))
        OPTIONAL { ?thing rdfs:label ?label } OPTIONAL { ?thing hw:digest ?digest } }""",
    "what-uses-this-dataset": """SELECT DISTINCT ?run ?label ?role ?status ?started {
        ?run prov:used $dataset
        OPTIONAL { ?run prov:qualifiedUsage ?use . ?use prov:entity $dataset ; prov:hadRole ?role }
        OPTIONAL { ?run rdfs:label ?label } OPTIONAL { ?run hw:status ?status }
        OPTIONAL { ?run prov:startedAtTime ?started } } ORDER BY ?started ?run ?role""",
    "measures-of-a-model": """SELECT DISTINCT ?run ?kind ?value {
        $model prov:wasGeneratedBy ?run . ?run mls:hasOutput ?measure . ?measure mls:specifiedBy ?kind ; mls:hasValue ?value }""",
    "papers-about-a-model": """SELECT DISTINCT ?paper ?label {
        { ?paper hw:documents $model } UNION { $model prov:wasGeneratedBy ?run . ?paper hw:documents ?run }
        UNION { ?paper hw:cites $model } OPTIONAL { ?paper rdfs:label ?label } }""",
    "runs-of-its-project": """SELECT ?other ?label ?status ?started {
        $run dcterms:isPartOf ?project . ?other dcterms:isPartOf ?project ; rdfs:label ?label ; hw:status ?status ;
        prov:startedAtTime ?started } ORDER BY ?started ?other""",
    "models-downstream": """SELECT DISTINCT ?model ?name {
        ?model (prov:wasGeneratedBy/prov:used)+ $dataset FILTER EXISTS { ?model a hw:Model }
        OPTIONAL { ?model rdfs:label ?name } }""",
    "data-upstream": """SELECT DISTINCT ?data ?name {
        $model (prov:wasGeneratedBy/prov:used)+ ?data FILTER EXISTS { ?data a hw:Dataset }
        OPTIONAL { ?data rdfs:label ?name } }""",
    "changes-upstream": """SELECT DISTINCT ?change ?object ?kind {
        $model (prov:wasGeneratedBy/prov:used)+ ?object . ?change hw:changedObject ?object ; hw:changeKind ?kind }""",
    "revisions-of-this-data": """SELECT DISTINCT ?other ?version {
        $dataset prov:specializationOf ?concept . ?other prov:specializationOf ?concept ; hw:version ?version }""",
    "runs-on-superseded-data": """SELECT ?run ?later {
        ?later prov:wasRevisionOf $dataset ; prov:generatedAtTime ?made . ?run prov:used $dataset ; prov:startedAtTime ?started
        FILTER (?started > ?made) }""",
    "settings-of-runs-on-this-data": """SELECT ?key ?value (COUNT(DISTINCT ?run) AS ?runs) {
        ?run prov:used $dataset ; mls:hasInput ?setting . ?setting mls:specifiedBy ?key ; mls:hasValue ?value }
        GROUP BY ?key ?value""",
    "which-code-made-this-model": """SELECT DISTINCT ?software ?label {
        $model prov:wasGeneratedBy ?run . ?run prov:qualifiedUsage ?use . ?use prov:entity ?software ; prov:hadRole hw:execute
        OPTIONAL { ?software rdfs:label ?label } }""",
}
LOOKUPS = {
    "about-a-model": "SELECT ?p ?o { $model ?p ?o }",
    "about-a-run": "SELECT ?p ?o { $run ?p ?o }",
    "who-names-a-model": "SELECT ?s ?p { ?s ?p $model }",
    "label-of-a-dataset": "SELECT ?label { $dataset rdfs:label ?label }",
    "types-of-a-model": "SELECT ?type { $model a ?type }",
    "is-it-there": "ASK { $run ?p ?o }",
    "made-by": "SELECT ?run ?label { $model prov:wasGeneratedBy ?run . ?run rdfs:label ?label }",
    "inputs-of-a-run": "SELECT ?thing ?role { $run prov:qualifiedUsage ?use . ?use prov:entity ?thing ; prov:hadRole ?role }",
    "labels-of-inputs": "SELECT ?thing ?label { $run prov:used ?thing OPTIONAL { ?thing rdfs:label ?label } }",
    "who-did-a-run": """SELECT ?who ?began ?ended {
        $run prov:wasAssociatedWith ?who ; prov:startedAtTime ?began ; prov:endedAtTime ?ended }""",
    "some-things-by-name": """SELECT ?s ?label ?digest {
        VALUES ?s { $model $dataset $run } ?s rdfs:label ?label OPTIONAL { ?s hw:digest ?digest } }""",
    "a-part": "SELECT ?p ?o { $part ?p ?o }",
}
FEATURES = {
    "star-join": """SELECT (COUNT(*) AS ?n) {
        ?run a hw:Run ; rdfs:label ?l ; hw:status ?s ; prov:startedAtTime ?b ; dcterms:isPartOf ?p }""",
    "chain-join": """SELECT (COUNT(*) AS ?n) {
        ?m prov:wasGeneratedBy ?r . ?r prov:used ?d . ?d prov:wasGeneratedBy ?q . ?q prov:used ?e }""",
    "optional": """SELECT (COUNT(?v) AS ?n) (COUNT(*) AS ?all) { ?d a hw:Dataset OPTIONAL { ?d hw:version ?v } }""",
    "union": """SELECT (COUNT(*) AS ?n) { { ?s a hw:Model } UNION { ?s a hw:Dataset } UNION { ?s a hw:Publication } }""",
    "minus": """SELECT (COUNT(*) AS ?n) { ?d a hw:Dataset MINUS { ?run prov:used ?d } }""",
    "exists": """SELECT (COUNT(*) AS ?n) { ?d a hw:Dataset FILTER EXISTS { ?x prov:wasRevisionOf ?d } }""",
    "group-by": """SELECT ?d (COUNT(?run) AS ?n) { ?run prov:used ?d } GROUP BY ?d HAVING (COUNT(?run) > 20)""",
    "group-by-few": """SELECT ?status (COUNT(*) AS ?n) { ?run hw:status ?status } GROUP BY ?status""",
    "order-by-limit": """SELECT ?run ?b { ?run prov:startedAtTime ?b } ORDER BY DESC(?b) ?run LIMIT 20""",
    "distinct": """SELECT DISTINCT ?p { ?s ?p ?o }""",
    "count-distinct": """SELECT (COUNT(DISTINCT ?o) AS ?n) { ?s prov:used ?o }""",
    "regex": """SELECT ?s { ?s a hw:Publication ; rdfs:label ?l FILTER REGEX(?l, "7$") }""",
    "numeric-filter": """SELECT (COUNT(*) AS ?n) {
        ?e a mls:ModelEvaluation ; mls:hasValue ?v FILTER (?v > 0.9 && ?v < 0.95) }""",
    "date-filter": """SELECT (COUNT(*) AS ?n) { ?r prov:startedAtTime ?b FILTER (YEAR(?b) = 2024 && MONTH(?b) = 2) }""",
    "path-fixed-end": """SELECT (COUNT(*) AS ?n) { $dataset (^prov:used/^prov:wasGeneratedBy)* ?x }""",
    "path-plus-free": """SELECT (COUNT(*) AS ?n) { ?later prov:wasRevisionOf+ ?earlier }""",
    "path-alternative": """SELECT (COUNT(*) AS ?n) { $model (prov:wasGeneratedBy|prov:used|prov:wasRevisionOf)+ ?x }""",
    "subquery": """SELECT ?d ?n {
        { SELECT ?d (COUNT(*) AS ?n) { ?r prov:used ?d } GROUP BY ?d } ?d a hw:Model FILTER (?n > 30) }""",
    "construct": """CONSTRUCT { ?d hw:usedBy ?run } WHERE { ?run prov:used ?d . ?run hw:status "failed" }""",
    "large-answer": """SELECT ?s ?l { ?s rdfs:label ?l }""",
}
FAMILIES: Mapping[str, Mapping[str, str]] = {"questions": QUESTIONS, "look-ups": LOOKUPS, "features": FEATURES}

OURS = {
    "models-downstream": """SELECT DISTINCT ?model ?name {
        ?model hw:downstreamOf $dataset ; a hw:Model OPTIONAL { ?model rdfs:label ?name } }""",
    "data-upstream": """SELECT DISTINCT ?data ?name {
        ?data hw:upstreamOf $model ; a hw:Dataset OPTIONAL { ?data rdfs:label ?name } }""",
    "changes-upstream": """SELECT DISTINCT ?change ?object ?kind {
        ?object hw:upstreamOf $model . ?change hw:changedObject ?object ; hw:changeKind ?kind }""",
}
"""The three questions about lineage as Headwater alone can be asked them; they mean every role, not only two properties."""


@dataclass(frozen=True, slots=True)
class Query:
    """One text to ask, of one template. `graph` says that the answer is a graph."""

    template: str
    text: str

    @property
    def graph(self) -> bool:
        return "CONSTRUCT" in self.text

    def fresh(self, number: int) -> str:
        """The same question in a text that nobody asked before."""
        return f"{self.text}\n# {number}"


def things_of(view: Path) -> dict[str, list[str]]:
    """The names of things by kind, and parts of runs as `part`, sorted, from an N-Triples file."""
    found: dict[str, set[str]] = {}
    with view.open("rb") as file:
        for line in file:
            if name := _NAME.match(line):
                found.setdefault(name[2].decode(), set()).add(name[1].decode())
            elif part := _PART.match(line):
                found.setdefault("part", set()).add(part[1].decode())
    return {kind: sorted(names) for kind, names in found.items()}


def queries(templates: Mapping[str, str], things: Mapping[str, Sequence[str]], number: int, seed: int = 1) -> Iterator[Query]:
    """`number` texts of each template, with things drawn from `things`; the same for the same seed.

    >>> [one.text.partition("ASK")[2] for one in queries({"there": "ASK { $run ?p ?o }"}, {"run": ["urn:a"]}, 1)]
    [' { <urn:a> ?p ?o }']
    """
    draw = random.Random(seed)
    for name, template in templates.items():
        for _ in range(number):
            chosen = {kind: draw.choice(things[kind]) for kind in sorted(set(_HOLE.findall(template)))}
            text = _HOLE.sub(lambda found, chosen=chosen: f"<{chosen[found[1]]}>", template)  # type: ignore[misc]
            yield Query(name, PREFIXES + text)
