"""Queries at random: by SPARQL's grammar, and then damaged."""

from __future__ import annotations

from random import Random

_TERMS = (
    "?a",
    "?b",
    "?c",
    "<urn:t:s1>",
    "<urn:t:p>",
    "'x'",
    "'x'@en",
    "7",
    "1e400",
    '"1"^^<urn:d>',
    "true",
    "[]",
    "_:b",
    "()",
    "hw:Model",
)
_VERBS = ("?p", "<urn:t:p>", "a", "<urn:t:p>*", "(<urn:t:p>|^<urn:t:p>)+", "!(<urn:t:q>|a)", "<urn:t:p>?/<urn:t:p>")
_CALLS = (
    "STR(?a)",
    "COUNT(*)",
    "REGEX(STR(?a), '(a+)+$')",
    "REPLACE(STR(?a), '.', '$0$0')",
    "xsd:integer(?b)",
    "SHA512(STR(?a))",
    "NOW()",
)
_CALLS += (
    "BNODE()",
    "IF(?a, ?b, 1/0)",
    "COALESCE(?z, 1)",
    "EXISTS { ?a ?p ?c }",
    "?a IN (1, ?b)",
    "STRDT('x', <urn:d>)",
    "SUM(?a)",
    "-?a * 2",
)
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
    "\ud7ff",
    "<",
    ">",
    "é",
)


def query(random: Random) -> str:
    """A query that the grammar allows, most of the time."""
    where = _group(random, 3)
    tail = random.choice(
        ("", " LIMIT 5", " ORDER BY ?a OFFSET 3", " GROUP BY ?a", " HAVING (COUNT(*) > 1)", " VALUES ?a { 1 UNDEF }")
    )
    head = random.choice(
        ("SELECT *", "SELECT DISTINCT ?a", "SELECT (COUNT(*) AS ?n)", "ASK", "DESCRIBE ?a", "CONSTRUCT { ?a ?b ?c }")
    )
    clause = random.choice(("", "", " FROM <urn:t:graph>", " FROM NAMED <urn:t:graph>"))
    return f"{head}{clause} WHERE {where}{tail}"


def damaged(random: Random, text: str) -> str:
    """The query with some of it missing, doubled, or replaced by what does not belong there."""
    for _ in range(random.randint(1, 4)):
        place, end = sorted((random.randrange(len(text) + 1), random.randrange(len(text) + 1)))
        what = random.choice(("", text[place:end] * 3, random.choice(_NOISE)))
        text = text[:place] + what + text[random.choice((place, end)) :]
    return text[:50_000]


def _group(random: Random, depth: int) -> str:
    parts = [_part(random, depth) for _ in range(random.randint(1, 4))]
    return "{ " + " ".join(parts) + " }"


def _part(random: Random, depth: int) -> str:
    kind = random.randrange(9 if depth else 3)
    if kind < 2:
        return f"{random.choice(_TERMS)} {random.choice(_VERBS)} {random.choice(_TERMS)} ."
    if kind == 2:
        return f"FILTER({random.choice(_CALLS)})"
    if kind == 3:
        return f"BIND({random.choice(_CALLS)} AS ?v{random.randrange(9)})"
    inner = _group(random, depth - 1)
    return {
        4: f"OPTIONAL {inner}",
        5: f"{inner} UNION {inner}",
        6: f"MINUS {inner}",
        7: f"GRAPH ?g {inner}",
        8: f"{{ SELECT * WHERE {inner} }}",
    }[kind]
