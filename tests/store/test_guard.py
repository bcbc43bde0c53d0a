"""A stranger's query can neither fetch from elsewhere, however it is written, nor bring the engine down by its shape."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import suppress

import pytest
from pyoxigraph import Store

from headwater.errors import BadQuery, TooLarge
from headwater.store.guard import guard

_AT = "<http://127.0.0.1:9/>"
_FETCHING = {
    "plain": f"SELECT * {{ SERVICE {_AT} {{ ?s ?p ?o }} }}",
    "small letters": f"SELECT * {{ service {_AT} {{ ?s ?p ?o }} }}",
    "mixed letters, silent": f"SELECT * {{ SeRvIcE SILENT {_AT} {{ ?s ?p ?o }} }}",
    "a comment inside": f"SELECT * {{ SERVICE#'\n{_AT}#\n{{ ?s ?p ?o }} }}",
    "a comment with a quote before": f"SELECT * {{ #'\n SERVICE {_AT} {{ ?s ?p ?o }} #'\n }}",
    "new lines": f"SELECT * {{\r\nSERVICE\r\n\t{_AT}\r\n{{ ?s ?p ?o }} }}",
    "right after a variable": f"SELECT * {{ ?s ?p ?o.SERVICE{_AT}{{ ?s ?p ?o }} }}",
    "a variable as its address": "SELECT * { ?s ?p ?o.SERVICE?s{ ?s ?p ?o } }",
    "right after a truth value": f"SELECT * {{ ?s ?p trueSERVICE{_AT}{{ ?s ?p ?o }} }}",
    "right after a language tag": f"SELECT * {{ ?s ?p 'x'@en.SERVICE{_AT}{{ ?s ?p ?o }} }}",
    "right after a number": f"SELECT * {{ ?s ?p 1.0SERVICE{_AT}{{ ?s ?p ?o }} }}",
    "the empty prefix": "PREFIX : <http://127.0.0.1:9/> SELECT * { SERVICE:x { ?s ?p ?o } }",
    "a prefix grown onto it": "PREFIX ex: <http://127.0.0.1:9/> SELECT * { SERVICEex:x { ?s ?p ?o } }",
    "a quote in a local name": f"PREFIX e: <a:> SELECT * {{ ?s e:a\\' ?o . SERVICE {_AT} {{ ?s ?p ?o }} FILTER(?o != \"'\") }}",
    "a hash in a local name": f"PREFIX e: <a:> SELECT * {{ ?s e:a\\# ?o . SERVICE {_AT} {{ ?s ?p ?o }} }}",
    "behind an IRI with an escape": f"SELECT * {{ ?s <a:\\U000000E9#> ?o SERVICE {_AT} {{ ?s ?p ?o }} }}",
    "a comparison like an IRI": f"SELECT * {{ ?s ?p ?a FILTER(?a<'x>')SERVICE{_AT}{{?s ?p ?o}}FILTER(''='') }}",
    "a comparison like an IRI with a comment": f'SELECT * {{ FILTER(2<#>"""\n1) SERVICE {_AT} {{}} BIND(""" """ AS ?q) }}',
    "escaped letters": f"SELECT * {{ SERV\\u0049CE {_AT} {{ ?s ?p ?o }} }}",
    "long escaped letters": f"SELECT * {{ SERV\\U00000049CE {_AT} {{ ?s ?p ?o }} }}",
    "escaped quotes": f'SELECT * {{ ?s ?p "\\u0022 SERVICE {_AT} {{ ?s ?p ?o }} BIND(\\u0022" AS ?x) }}',
    "LOAD": f"LOAD {_AT}",
    "load into a graph": f"INSERT DATA {{}};load silent {_AT} INTO GRAPH <urn:g>",
}


@pytest.mark.parametrize("text", _FETCHING.values(), ids=_FETCHING.keys())
def test_nothing_is_fetched_in_whatever_disguise(text: str) -> None:
    with pytest.raises(BadQuery):
        guard(text, 10_000)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { ?s ?p 'SERVICE <http://x/> {}' }",
        'SELECT * { ?s ?p """a "SERVICE" \n LOAD""" }',
        "SELECT * { ?s <http://example.org/SERVICE/LOAD#service> ?o }",
        "SELECT ?service $load { ?service ?p $load } # SERVICE <http://x/>",
        "PREFIX ex: <http://x/> SELECT * { ?s ex:SERVICE ex:load ; ex:customer.SERVICE ?o }",
        "SELECT * { ?s ?p 'caf\\u00e9', <http://x/caf\\u00E9> }",
        'SELECT * { ?s ?p "it\'s" FILTER(?s < ?p && ?p > 3) }',
        "SELECT * { ?s <#part> 1 }",
        "SELECT * { _:LOAD ?p 'x'@en-GB }",
        "SELECT * { ?s <http://example.org/O'Brien> 'x' }",
    ],
)
def test_the_words_may_stand_in_strings_iris_names_and_comments(text: str) -> None:
    guard(text, 10_000)
    if "<#part>" not in text:
        Store().query(text)


def test_the_words_of_the_text_are_told_in_capitals_and_only_the_bare_ones() -> None:
    assert guard("select ?graph { graph ?g { ?s a 'NAMED' } }", 1000) == {"SELECT", "GRAPH", "A"}


def test_a_text_over_the_limit_is_too_large() -> None:
    guard("ASK {}" + " " * 94, 100)
    with pytest.raises(TooLarge, match="101 characters; 100"):
        guard("ASK {}" + " " * 95, 100)


@pytest.mark.parametrize("pair", ["()", "{}", "[]"])
def test_brackets_are_counted_also_where_closing_ones_in_strings_would_hide_them(pair: str) -> None:
    guard("SELECT * " + pair[0] * 200 + pair[1] * 200, 10_000)
    hidden = f"'{pair[1] * 300}'"
    with pytest.raises(BadQuery, match="deeper than 200"):
        guard("SELECT * " + hidden.join(pair[0] * 201), 100_000)


def test_a_long_list_of_values_is_allowed() -> None:
    rows = " ".join(f"(<http://x/{number}> {number})" for number in range(4000))
    guard(f"SELECT * {{ VALUES (?thing ?number) {{ {rows} }} ?thing ?p ?o }}", 200_000)


_CHAINS = {
    "sums": lambda n: "SELECT (1" + "+1" * n + " AS ?x) {}",
    "alternatives": lambda n: "SELECT * {FILTER(1" + "||1" * n + ")}",
    "negations": lambda n: "SELECT * {FILTER(" + "!" * n + "1)}",
    "paths": lambda n: "SELECT * {?s <a:p>" + "/<a:p>" * n + " ?o}",
    "path alternatives": lambda n: "SELECT * {?s <a:p>" + "|<a:p>" * n + " ?o}",
    "unions": lambda n: "SELECT * {{}" + "UNION{}" * n + "}",
    "optionals": lambda n: "SELECT * {" + "OPTIONAL{?s ?p ?o}" * n + "}",
    "minuses": lambda n: "SELECT * {" + "MINUS{?s ?p ?o}" * n + "}",
    "patterns": lambda n: "SELECT * {" + "?s ?p ?o." * n + "}",
    "objects": lambda n: "SELECT * {?s ?p 1" + ",1" * n + "}",
    "list items": lambda n: "SELECT * {?s ?p (" + "1 " * n + ")}",
    "bindings": lambda n: "SELECT * {" + "".join(f"BIND(1 AS ?v{i})" for i in range(n)) + "}",
    "columns": lambda n: "SELECT " + "".join(f"(1 AS ?v{i})" for i in range(n)) + "{}",
    "filters": lambda n: "SELECT * {" + "FILTER(?x)" * n + "}",
    "graphs": lambda n: "SELECT * {" + "GRAPH?g{}" * n + "}",
    "values": lambda n: "SELECT * {" + "VALUES ?x{1}" * n + "}",
    "groups": lambda n: "SELECT * {" + "{}" * n + "}",
}


@pytest.mark.parametrize("chain", _CHAINS.keys())
def test_a_chain_that_would_exhaust_the_stack_is_refused(chain: str) -> None:
    with pytest.raises(BadQuery, match="more than 2000 parts"):
        guard(_CHAINS[chain](9000), 1_000_000)


def _longest(chain: str) -> str:
    low, high = 1, 3000
    while high - low > 1:
        middle = (low + high) // 2
        try:
            guard(_CHAINS[chain](middle), 1_000_000)
            low = middle
        except BadQuery:
            high = middle
    return _CHAINS[chain](low)


_JOINS = {"paths", "patterns", "objects", "list items", "graphs", "values"}
"""Joins of a thousand patterns take the planner minutes: a time limit has to end them, and here they are kept short."""


def test_the_engine_survives_the_longest_chain_that_passes() -> None:
    texts = [_CHAINS[chain](100) if chain in _JOINS else _longest(chain) for chain in _CHAINS]
    code = (
        "import sys, threading, pyoxigraph\n"
        "def run():\n"
        "    for text in eval(sys.stdin.read()):\n"
        "        pyoxigraph.Store().query(text)\n"
        "thread = threading.Thread(target=run)\nthread.start()\nthread.join()\nprint('alive')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], input=repr(texts), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "alive"), done.stderr[-300:]


@pytest.mark.parametrize("text", ['"' * 99_999, "'''" + "\\" * 99_990, "<a" * 49_999, "a.-" * 33_000, "a:" + "." * 99_990])
def test_a_hostile_text_is_looked_through_in_no_time(text: str) -> None:
    done = threading.Event()

    def look() -> None:
        with suppress(BadQuery):
            guard(text, 100_000)
        done.set()

    threading.Thread(target=look, daemon=True).start()
    assert done.wait(5)
