"""What the SPARQL page offers beside the empty text: ready questions with their parameters filled in, words to complete, and
where a text went wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from headwater import assets
from headwater.errors import HeadwaterError
from headwater.questions.catalogue import Parameter, Question, catalogue, in_category
from headwater.store.reading import tokens
from headwater.terms.names import OWL, PREFIXES, RDF, RDFS, curie
from headwater.terms.vocabulary import ontology_files, vocabulary

VOCABULARIES = {"prov": "PROV-O", "mls": "ML-Schema", "mex": "MEX"}
"""The vocabularies by the ending of a question's name."""
FIRST = f"""PREFIX hw: <{PREFIXES["hw"]}>
PREFIX prov: <{PREFIXES["prov"]}>
PREFIX rdfs: <{PREFIXES["rdfs"]}>

SELECT ?model ?label WHERE {{
  ?model a hw:Model ; rdfs:label ?label .
}} LIMIT 20
"""
"""What stands in the editor of somebody who comes without a question."""

_PLACE = re.compile(r"\bat (\d+):(\d+)")
_UNDECLARED = "the prefix is not declared"
_DECLARED = re.compile(r"(?i)\bPREFIX\s+([^\s:]*):\s*<")
_KINDS_OF = {"data": "dataset"}
"""The kind of thing that a parameter takes, where it is not called by the kind's own name."""
_STRINGS = {"metric": "accuracy", "setting": "C"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text went wrong: line and column from 1, the line as far as it fits, and what stands before the place.

    `mended` is the text with the prefix that it lacks, where one of ours is all that it lacks.
    """

    line: int
    column: int
    before: str
    after: str
    mended: str = ""


@cache
def questions() -> dict[str, Question]:
    """The catalogue of `queries/`, read once."""
    return catalogue(assets.folder("queries"))


@cache
def competency() -> list[tuple[Question, list[tuple[str, str]]]]:
    """The competency questions, each with the names of its forms and the vocabulary of each."""
    forms: dict[str, list[tuple[str, str]]] = {}
    for name in in_category(questions(), "competency"):
        base, _, word = name.rpartition(".")
        forms.setdefault(base, []).append((name, VOCABULARIES[word]))
    return [(questions()[names[0][0]], sorted(names, key=lambda form: form[1], reverse=True)) for names in forms.values()]


def prefilled(question: Question, given: Mapping[str, str], example: Callable[[str], str | None]) -> str:
    """The text of a question with its parameters as a VALUES block that one can see and change.

    `given` are IRIs and texts; where a required parameter has none, `example` finds a thing of its kind. What may be left out
    and is not given stands there as a comment.

    >>> question = Question("q", "", "", (Parameter("model", "iri", True, "the model"),), {}, "scan",
    ...     "#+ summary: q\\nSELECT ?model WHERE {\\n  ?model a ?t\\n}")
    >>> print(prefilled(question, {}, lambda kind: f"urn:{kind}"))
    SELECT ?model WHERE {
      VALUES ?model { <urn:model> }  # the model
      ?model a ?t
    }
    """
    text = "\n".join(line for line in question.text.splitlines() if not line.startswith("#+"))
    lines = []
    for parameter in question.parameters:
        value = given.get(parameter.name, parameter.default)
        wanted = value is not None or parameter.required
        term = _written(parameter, value, example)
        about = parameter.about.replace("\n", " ")
        if term is not None:
            lines.append(f"  {'' if wanted else '# '}VALUES ?{parameter.name} {{ {term} }}  # {about}")
    opened = next((token.end for token in tokens(text) if token.text == "{"), None)
    if opened is None or not lines:
        return text
    return text[:opened] + "\n" + "\n".join(lines) + text[opened:]


def kind_of(parameter: Parameter) -> str:
    """The kind of thing that a parameter takes, by its name.

    >>> kind_of(Parameter("data", "iri", True, "the data set"))
    'dataset'
    """
    return _KINDS_OF.get(parameter.name, parameter.name)


def _written(parameter: Parameter, value: str | None, example: Callable[[str], str | None]) -> str | None:
    """A value as a SPARQL term, or an example of one; None where there is none."""
    if parameter.type == "integer":
        return value if value is None or re.fullmatch(r"[+-]?[0-9]{1,18}", value) else None
    if parameter.type == "string":
        return json.dumps(value if value is not None else _STRINGS.get(parameter.name, "…"), ensure_ascii=False)
    if parameter.type == "kind":
        iri = next((kind.iri for kind in vocabulary().kinds if kind.name == (value or "dataset")), None)
    else:
        iri = value if value is not None else example(kind_of(parameter))
    return f"<{iri}>" if iri is not None and re.fullmatch(r"[^\x00-\x20<>\"{}|\\^`]+", iri) else None


def place(text: str, error: HeadwaterError) -> Place | None:
    """Where in a text an error lies, if it says so.

    >>> from headwater.errors import BadQuery
    >>> found = place("SELECT * {\\n  ?s a hw:Model }", BadQuery("does not parse: error at 2:16: the prefix is not declared"))
    >>> found.line, found.before, found.mended.splitlines()[0]
    (2, '  ?s a hw:Model', 'PREFIX hw: <https://w3id.org/headwater/terms#>')
    """
    found = _PLACE.search(error.detail)
    lines = text.split("\n")
    if found is None or not 0 < int(found[1]) <= len(lines):
        return None
    line, column = int(found[1]), int(found[2])
    here = lines[line - 1].rstrip("\r")
    before, after = here[: column - 1], here[column - 1 :]
    mended = ""
    if _UNDECLARED in error.detail:
        lacking = re.search(r"([A-Za-z][\w-]*):[^\s:]*$", before)
        if lacking and lacking[1] in PREFIXES and lacking[1] not in _DECLARED.findall(text):
            mended = f"PREFIX {lacking[1]}: <{PREFIXES[lacking[1]]}>\n{text}"
    return Place(line, column, before[-200:], after[:80], mended)


def remedy(error: HeadwaterError, found: Place | None) -> str:
    """What to do about an error, in more words than the error has where the place tells more.

    >>> from headwater.errors import BadQuery
    >>> remedy(BadQuery("no"), None)
    'Correct the query text.'
    """
    if found is not None and found.mended:
        return f"Declare it: {found.mended.partition(chr(10))[0]}"
    if found is not None and _UNDECLARED in error.detail:
        return "Declare it at the beginning: PREFIX name: <address>."
    if found is not None:
        return f"Look at line {found.line}, at or just before column {found.column}."
    return error.remedy


@cache
def words() -> bytes:
    """What the editor's script completes, as JSON: prefixes with their addresses, and terms in short form with their labels."""
    files = ontology_files()
    named: dict[str, str] = {}
    for sort in (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty, RDFS.Class, RDF.Property):
        for node in files.subjects(RDF.type, sort):
            short = curie(node.value)
            if short != node.value:
                named[short] = files.label(node)
    for role in vocabulary().roles:
        named[curie(role.iri)] = role.label_up
    for change in vocabulary().changes.values():
        named[curie(change.iri)] = change.label
    said = {"prefixes": dict(PREFIXES), "terms": dict(sorted(named.items()))}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
