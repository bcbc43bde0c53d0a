"""Queries at random: by SPARQL's grammar, so that most of them can be asked, and then damaged."""

from __future__ import annotations

from random import Random

PROLOGUE = (
    "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> "
    "PREFIX hw: <https://w3id.org/headwater/terms#> PREFIX t: <urn:t:> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> "
    "PREFIX prov: <http://www.w3.org/ns/prov#> "
)
_VARIABLES = ("?a", "?b", "?c", "?d")
_NODES = ("<urn:t:s1>", "t:s2", "t:s3", "t:graph", "hw:Model", "<urn:h:s>")
_VALUES = ("'x'", "'x'@en", "7", "3.50", "1e400", "true", '"1"^^<urn:d>', "'2026-01-01'^^xsd:date", "'é\\n\"'", "-0.0")
_VERBS = ("?p", "t:p", "t:p", "a", "t:q", "rdfs:label", "<https://w3id.org/headwater/terms#visibility>", "prov:used")
_PATHS = ("t:p*", "(t:p|^t:p)+", "!(t:q|a)", "!(^t:p)", "t:p?/t:p", "^(t:p/t:p)", "(t:p/t:q?)*", "a/t:p*")
_UNARY = (
    "STR({})",
    "LANG({})",
    "DATATYPE({})",
    "ISIRI({})",
    "STRLEN(STR({}))",
    "UCASE(STR({}))",
    "SHA512(STR({}))",
    "xsd:integer({})",
    "xsd:string({})",
    "ABS({})",
    "-{}",
    "!{}",
    "ENCODE_FOR_URI(STR({}))",
    "BOUND(?b)",
    "REGEX(STR({}), '(a+)+$')",
    "REPLACE(STR({}), '.', '$0$0')",
    "YEAR({})",
    "IRI(STR({}))",
    "STRDT(STR({}), <urn:d>)",
    "STRLANG(STR({}), 'de')",
    "CONCAT(STR({}), 'z')",
    "SUBSTR(STR({}), 2, 100)",
)
_BINARY = ("{} = {}", "{} < {}", "{} != {}", "{} + {}", "{} / {}", "{} && {}", "{} || {}", "{} IN ({}, 1)", "COALESCE({}, {})")
_BINARY += ("IF(ISIRI({}), {}, 1/0)", "sameTerm({}, {})", "STRAFTER(STR({}), STR({}))", "CONTAINS(STR({}), STR({}))", "{} * {}")
_AGGREGATES = ("COUNT(*)", "COUNT(DISTINCT {})", "SUM({})", "MIN({})", "MAX({})", "AVG({})", "SAMPLE({})", "GROUP_CONCAT({})")
_LINEAGE = ("hw:upstreamOf", "hw:downstreamOf", "hw:impactedBy")
_NOISE = (
    "}",
    "{",
    "(",
    ")",
    "\x00",
    "\\u0022",
    "'",
    '"""',
    "#",
    "SERVICE <http://127.0.0.1/> {",
    "LOAD",
    "GRAPH ?g {",
    "FROM NAMED <urn:t:hidden>",
    "GRAPH <urn:t:hidden> {",
    "GRAPH <http://127.0.0.1:8321/view/internal> {",
    "hw:upstreamOf <urn:t:s1>",
    "\ud7ff",
    "\ufeff",
    "\u202e",
    "<",
    ">",
    "<<",
    ">>",
    "{|",
    "^^",
    "@en",
    "é",
    "9" * 400,
    "DISTINCT",
    "UNDEF",
    ";",
    "REDUCED",
    "ORDER BY",
)


class _Writer:
    def __init__(self, random: Random, lineage: bool) -> None:
        self.random = random
        self.lineage = lineage
        self.bound = 0

    def query(self) -> str:
        chance = self.random
        where = self.group(chance.choice((0, 1, 2, 2, 3)))
        clause = chance.choice(
            ("", "", "", " FROM t:graph", " FROM NAMED t:graph", " FROM t:hidden", " FROM NAMED t:hidden FROM NAMED t:graph2")
        )
        kind = chance.randrange(8)
        if kind == 0:
            return f"{PROLOGUE}ASK{clause} {where}"
        if kind == 1:
            return f"{PROLOGUE}DESCRIBE {chance.choice(('?a', '?a ?b', 't:s1', '*'))}{clause} WHERE {where}"
        if kind == 2:
            template = " ".join(f"{self.subject()} {chance.choice(('t:made', '?p'))} {self.object()} ." for _ in range(2))
            return f"{PROLOGUE}CONSTRUCT {{ {template} }}{clause} WHERE {where}"
        if kind == 3:
            having = chance.choice(("", "", " HAVING (COUNT(*) > 1)"))
            total = chance.choice(_AGGREGATES).format(chance.choice(_VARIABLES))
            return f"{PROLOGUE}SELECT ?a ({total} AS ?n){clause} WHERE {where} GROUP BY ?a{having}"
        if kind == 4:
            return f"{PROLOGUE}SELECT ({chance.choice(_AGGREGATES).format('?a')} AS ?n){clause} WHERE {where}"
        head = chance.choice(("*", "DISTINCT *", "?a ?b", "DISTINCT ?a", "REDUCED ?c ?d", f"?a ({self.expression(2)} AS ?e)"))
        tail = chance.choice(
            ("", "", "", " LIMIT 5", " ORDER BY ?a OFFSET 3", " ORDER BY DESC(?b) ?c", " VALUES ?a { 1 t:s1 UNDEF }")
        )
        return f"{PROLOGUE}SELECT {head}{clause} WHERE {where}{tail}"

    def subject(self) -> str:
        return self.random.choice((*_VARIABLES, *_VARIABLES, *_NODES, "[]", "_:x"))

    def object(self) -> str:
        return self.random.choice((*_VARIABLES, *_VARIABLES, *_NODES, *_VALUES, "[ t:p ?d ]", "( ?a 1 )"))

    def verb(self) -> str:
        return self.random.choice(_PATHS if self.random.random() < 0.3 else _VERBS)

    def expression(self, depth: int) -> str:
        chance = self.random
        if depth == 0 or chance.random() < 0.2:
            return chance.choice((*_VARIABLES, *_VARIABLES, *_VALUES, "t:s1"))
        if chance.random() < 0.5:
            return chance.choice(_UNARY).replace("{}", self.expression(depth - 1))
        form = chance.choice(_BINARY)
        for _ in range(form.count("{}")):
            form = form.replace("{}", self.expression(depth - 1), 1)
        return f"({form})"

    def group(self, depth: int) -> str:
        return "{ " + " ".join(self.part(depth) for _ in range(self.random.choice((1, 1, 2, 2, 3)))) + " }"

    def part(self, depth: int) -> str:
        chance = self.random
        kind = chance.randrange(12 if depth else 5)
        if kind < 3:
            more = f" ; {chance.choice(_VERBS)} {self.object()}" if chance.random() < 0.2 else ""
            return f"{self.subject()} {self.verb()} {self.object()}{more} ."
        if kind == 3:
            return f"FILTER({self.expression(3)})"
        if kind == 4:
            self.bound += 1
            if self.lineage and chance.random() < 0.3:
                return f"?v{self.bound} {chance.choice(_LINEAGE)} {chance.choice((*_NODES, '?a'))} ."
            return chance.choice((f"BIND({self.expression(2)} AS ?v{self.bound})", "VALUES (?a ?b) { (1 t:s1) (UNDEF 'x') }"))
        inner = self.group(depth - 1)
        graph = chance.choice(("?g", "?g", "t:graph", "t:hidden", "t:graph2"))
        return {
            5: f"OPTIONAL {inner}",
            6: f"{inner} UNION {self.group(depth - 1)}",
            7: f"MINUS {inner}",
            8: f"GRAPH {graph} {inner}",
            9: f"{{ SELECT {chance.choice(('*', 'DISTINCT ?a', '(COUNT(*) AS ?k)'))} WHERE {inner} }}",
            10: f"FILTER {chance.choice(('EXISTS', 'NOT EXISTS'))} {inner}",
            11: inner,
        }[kind]


def query(random: Random, *, lineage: bool = False) -> str:
    """A query that the grammar allows, most of the time; with `lineage` some ask for what the index answers, too."""
    return _Writer(random, lineage).query()


def damaged(random: Random, text: str) -> str:
    """The query with some of it missing, doubled, or replaced by what does not belong there."""
    for _ in range(random.randint(1, 4)):
        place = random.randrange(len(text) + 1)
        end = min(len(text), place + random.choice((0, 1, 3, 10, 30, 400)))
        what = random.choice(("", text[place:end] * 3, random.choice(_NOISE), random.choice(_NOISE)))
        text = text[:place] + what + text[random.choice((place, end)) :]
    return text[:50_000]
