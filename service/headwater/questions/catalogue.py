"""The questions of `queries/`: SPARQL files with a `#+` header in YAML that says what each asks, takes and returns.

A question's parameters are bound as terms, never written into its text, so that no value can change what is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pyoxigraph import Literal as RdfLiteral
from pyoxigraph import NamedNode

from headwater.errors import BadParameter, HeadwaterError, NotFound
from headwater.terms.names import XSD
from headwater.terms.vocabulary import vocabulary

ParameterType = Literal["iri", "string", "integer", "kind"]
_TYPES: tuple[ParameterType, ...] = ("iri", "string", "integer", "kind")
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]+")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_FIELDS = {"summary", "description", "source", "params", "returns", "cost"}
_HEADER_MARK = "#+"


class BrokenQuestion(HeadwaterError):
    """A file of `queries/` whose header cannot be understood."""

    title = "A question is broken"
    default_remedy = "Correct the header of the file; queries/objects-of-kind.rq shows what stands in one."


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a question takes. `kind` is given as a word such as `dataset` and bound as its class."""

    name: str
    type: ParameterType
    required: bool
    about: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One file of `queries/`. `returns` names the columns with their types; `cost` is `lookup`, `scan` or `walk`.

    `category` is the sub-folder it stands in (empty at the top), `source` who asked it first. The name of a question that is
    asked in several vocabularies ends in `.prov`, `.mls` or `.mex`.
    """

    name: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    returns: dict[str, str]
    cost: str
    text: str
    category: str = ""
    source: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The question as lists and pages show it."""
        return {
            "name": self.name,
            "summary": self.summary,
            "description": self.description,
            "params": {
                p.name: {"type": p.type, "required": p.required, "about": p.about}
                | ({} if p.default is None else {"default": p.default})
                for p in self.parameters
            },
            "returns": self.returns,
            "cost": self.cost,
            **({"category": self.category} if self.category else {}),
            **({"source": self.source} if self.source else {}),
        }


def catalogue(folder: Path) -> dict[str, Question]:
    """All questions of a folder and its sub-folders by name, those at the top first.

    Raises `BrokenQuestion` for a header that makes no sense.

    >>> from headwater import assets
    >>> catalogue(assets.folder("queries"))["failed-runs"].cost
    'scan'
    """
    paths = [*sorted(folder.glob("*.rq")), *sorted(folder.glob("*/*.rq"))]
    return {path.stem: _question(path, "" if path.parent == folder else path.parent.name) for path in paths}


def in_category(questions: Mapping[str, Question], category: str = "") -> dict[str, Question]:
    """The questions of one category; without one, those at the top, which lists show first.

    >>> from headwater import assets
    >>> list(in_category(catalogue(assets.folder("queries")), "competency"))[0].rpartition(".")[2] in ("prov", "mls", "mex")
    True
    """
    return {name: question for name, question in questions.items() if question.category == category}


def find(questions: Mapping[str, Question], name: str) -> Question:
    """The question called `name`. Raises `NotFound` with the names that there are."""
    if name in questions:
        return questions[name]
    forms = [known for known in questions if known.rpartition(".")[0] == name]
    near = sorted(forms or in_category(questions) or questions)
    raise NotFound(f"there is no question called {name!r}", remedy=f"Ask one of: {', '.join(near)}.")


def bind(
    question: Question, given: Mapping[str, str], resolve: Callable[[str], str] | None = None
) -> dict[str, NamedNode | RdfLiteral]:
    """The values of a question's parameters as terms to substitute.

    `resolve` turns what people write for a thing (a CURIE, a PID, `mlflow:RUNID`) into its IRI; without it only IRIs are taken.
    Raises `BadParameter` for an unknown or missing parameter and for a value of the wrong type.

    >>> question = Question("q", "", "", (Parameter("kind", "kind", True, "which kind"),), {}, "scan", "")
    >>> bind(question, {"kind": "model"})["kind"].value
    'https://w3id.org/headwater/terms#Model'
    >>> bind(question, {})
    Traceback (most recent call last):
    ...
    headwater.errors.BadParameter: the question 'q' needs the parameter 'kind': which kind
    """
    known = {parameter.name: parameter for parameter in question.parameters}
    for name in given:
        if name not in known:
            takes = f"it takes: {', '.join(known)}" if known else "it takes none"
            raise BadParameter(f"the question '{question.name}' has no parameter {name!r}; {takes}", parameter=name)
    bound: dict[str, NamedNode | RdfLiteral] = {}
    for parameter in question.parameters:
        value = given.get(parameter.name, parameter.default)
        if value is not None:
            bound[parameter.name] = _term(parameter, value, resolve)
        elif parameter.required:
            raise BadParameter(
                f"the question '{question.name}' needs the parameter '{parameter.name}': {parameter.about}",
                remedy=f"Give it with --param {parameter.name}=VALUE (over HTTP: {parameter.name}=VALUE).",
                parameter=parameter.name,
            )
    return bound


def _term(parameter: Parameter, value: str, resolve: Callable[[str], str] | None) -> NamedNode | RdfLiteral:
    name = parameter.name
    if parameter.type == "string":
        return RdfLiteral(value)
    if parameter.type == "integer":
        if not _INTEGER.fullmatch(value):
            raise BadParameter(f"{name} must be a whole number, not {value!r}", parameter=name)
        return RdfLiteral(str(int(value)), datatype=XSD.integer)
    if parameter.type == "kind":
        kinds = {kind.name: kind.iri for kind in vocabulary().kinds}
        if value not in kinds:
            raise BadParameter(f"{name} must be a kind, not {value!r}; kinds are: {', '.join(sorted(kinds))}", parameter=name)
        return NamedNode(kinds[value])
    iri = resolve(value) if resolve is not None else value
    if not _IRI.fullmatch(iri):
        raise BadParameter(f"{name} must be an IRI, not {value!r}", parameter=name)
    return NamedNode(iri)


def _question(path: Path, category: str = "") -> Question:
    try:
        text = path.read_text(encoding="utf-8")
        header = yaml.safe_load("\n".join(_header_lines(text)))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise BrokenQuestion(f"{path.name}: the header is not YAML: {error}") from error
    if not isinstance(header, dict) or set(header) - _FIELDS or not isinstance(header.get("summary"), str):
        raise BrokenQuestion(f"{path.name}: the header needs a summary and knows only: {', '.join(sorted(_FIELDS))}")
    returns, params = header.get("returns") or {}, header.get("params") or {}
    if not isinstance(returns, dict) or not isinstance(params, dict):
        raise BrokenQuestion(f"{path.name}: params and returns must each map names to what they are")
    return Question(
        name=path.stem,
        summary=header["summary"],
        description=str(header.get("description") or ""),
        parameters=tuple(_parameter(path, str(name), said) for name, said in params.items()),
        returns={str(name): str(kind) for name, kind in returns.items()},
        cost=str(header.get("cost") or "lookup"),
        text=text,
        category=category,
        source=str(header.get("source") or ""),
    )


def _header_lines(text: str) -> list[str]:
    lines = []
    for line in text.splitlines():
        if not line.startswith(_HEADER_MARK):
            break
        lines.append(line.removeprefix(_HEADER_MARK).removeprefix(" "))
    return lines


def _parameter(path: Path, name: str, said: object) -> Parameter:
    if not isinstance(said, dict) or set(said) - {"type", "required", "about", "default"}:
        raise BrokenQuestion(f"{path.name}: the parameter {name} needs type and about, and may have required and default")
    kind = next((known for known in _TYPES if known == said.get("type")), None)
    if kind is None or not isinstance(said.get("about"), str):
        raise BrokenQuestion(f"{path.name}: the parameter {name} needs a text 'about' and a type: {', '.join(_TYPES)}")
    default = said.get("default")
    return Parameter(name, kind, bool(said.get("required", False)), said["about"], None if default is None else str(default))
