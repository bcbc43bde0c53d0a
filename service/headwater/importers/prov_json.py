"""Importing PROV-JSON, as the PROV toolbox, yProv and CWLProv write it; each bundle becomes a record of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyoxigraph import Literal, NamedNode

from headwater.errors import UnreadableSource
from headwater.importers.documents import Repeated, as_list, encoded, head, is_absolute, json_document, record_key, whole
from headwater.importers.protocol import Sniff, Source
from headwater.importers.prov_statements import (
    ELEMENTS,
    RELATIONS,
    Bundle,
    Names,
    Statement,
    Term,
    is_relation_argument,
    moment,
    triples_of,
)
from headwater.records.draft import Draft, Failure, Finding
from headwater.terms.minting import Mint
from headwater.terms.names import PROV, XSD

_KEYS = {*ELEMENTS, *RELATIONS, "prefix", "bundle"}
_FIRST_KEY = re.compile(rb'^(?:\xef\xbb\xbf)?\s*\{\s*"(\w+)"\s*:\s*\{')
_QNAMES = {"prov:QUALIFIED_NAME", "xsd:QName"}
_TIMES = {"time", "startTime", "endTime"}


class ProvJsonImporter:
    """PROV-JSON (W3C member submission of 2013), and the folder of a CWLProv research object, which holds such files."""

    name = "prov-json"
    version = "1"
    title = "PROV-JSON document, or CWLProv research object"
    evidence = "declared"

    def sniff(self, source: Source) -> Sniff | None:
        """Files are known by their first key, folders by `metadata/provenance/*.cwlprov.json`."""
        if source.path.is_dir():
            return Sniff(0.9, "a CWLProv research object: it has PROV-JSON in metadata/provenance") if _cwlprov(source) else None
        start = head(source.path)
        first = _FIRST_KEY.match(start)
        if first is None or first[1].decode("ascii", "replace") not in _KEYS or b'"@context"' in start:
            return None
        if first[1] in (b"prefix", b"entity", b"activity", b"agent", b"bundle") or b'"prov:' in start:
            return Sniff(0.85, f"JSON that begins with PROV-JSON's key {first[1].decode()!r}")
        return None

    def size(self, source: Source) -> int | None:
        return len(_cwlprov(source)) if source.path.is_dir() else None

    def read(self, source: Source, mint: Mint) -> Iterator[Draft | Failure]:
        """One record for the document and one for each bundle. Raises `UnreadableSource` for what is no PROV-JSON."""
        if not source.path.is_dir():
            data = whole(source.path, source.name, source.max_bytes)
            yield from drafts(read_json(data, source.name, mint.record(record_key(source, data, "prov"))), source, data, mint)
            return
        found = _cwlprov(source)
        if not found:
            raise UnreadableSource(
                f"{source.name} has no PROV-JSON in metadata/provenance.", remedy="Name the PROV-JSON file itself."
            )
        for path in found:
            name = f"{source.name}/{path.relative_to(source.path).as_posix()}"
            part = Source(path, name, source.max_bytes, identity=f"{source.identity}/{path.name}" if source.identity else "")
            try:
                data = whole(path, name, source.max_bytes)
                bundles = read_json(data, name, mint.record(record_key(part, data, "prov")))
            except UnreadableSource as error:
                yield Failure(name, error.detail, error.extra.get("line"))
                continue
            yield from drafts(bundles, part, data, mint)


def drafts(bundles: list[Bundle], source: Source, data: bytes, mint: Mint) -> Iterator[Draft]:
    """The records of a document and its bundles, in the order in which they stand."""
    record = mint.record(record_key(source, data, "prov"))
    for bundle in bundles:
        triples = triples_of(bundle.statements)
        if bundle.iri is None and not triples and len(bundles) > 1 and not bundle.findings:
            continue
        findings = bundle.findings
        if not triples:
            findings = [*findings, Finding("missing", "no-statements", "nothing is stated here", bundle.iri or source.name)]
        title = Path(source.name).name
        yield Draft(
            bundle.iri or record, source.name, title if bundle.iri is None else f"{title}: {bundle.iri}", triples, findings
        )


def read_json(data: bytes, name: str, record: str) -> list[Bundle]:
    """The bundles of a PROV-JSON document, itself first. `record` is the IRI under which names of its own are put.

    >>> text = b'{"prefix": {"ex": "https://lab.example/"}, "entity": {"ex:spectra": {}}}'
    >>> read_json(text, "a.json", "urn:record")[0].statements[0].id
    <NamedNode value=https://lab.example/spectra>
    """
    document = json_document(data, name)
    if not isinstance(document, dict) or not _KEYS & set(document):
        raise UnreadableSource(f"{name}: is JSON, but no PROV-JSON: none of its keys is one of PROV's.")
    reading = _Reading(name, record)
    bundles = [reading.bundle(None, document, None)]
    for key, content in _entries(document.get("bundle")):
        if isinstance(content, dict):
            bundles.append(reading.bundle(key, content, reading.document))
        else:
            bundles[0].findings.append(Finding("failed", "bundle", f"the bundle {key!r} is no object", name))
    return bundles


class _Reading:
    """Reads one document; a statement that cannot be understood is reported and left out, the others stay."""

    def __init__(self, where: str, record: str) -> None:
        self.where = where
        self.record = record
        self.document: Names | None = None

    def bundle(self, key: str | None, content: dict[str, Any], outer: Names | None) -> Bundle:
        declared = content.get("prefix")
        prefixes = {str(p): str(uri) for p, uri in declared.items()} if isinstance(declared, dict) else {}
        default = prefixes.pop("default", None)
        names = Names(prefixes, self.record, self.where, default) if outer is None else outer.within(prefixes, default)
        if outer is None:
            self.document = names
        found = Bundle(None if key is None else names.iri(key).value)
        for kind, entries in content.items():
            if kind in ("prefix", "bundle"):
                continue
            if kind not in ELEMENTS and kind not in RELATIONS:
                found.findings.append(Finding("unmapped", "unknown-key", f"{kind!r} is no key of PROV-JSON", self.where))
                continue
            for identifier, said in _entries(entries):
                for body in said if isinstance(said, list) else [said]:
                    if isinstance(body, dict):
                        found.statements.append(_statement(kind, identifier, body, names))
                    else:
                        what = f"{kind} {identifier!r} is no object"
                        found.findings.append(Finding("failed", "statement", what, self.where))
        found.findings += names.findings
        return found


def _entries(section: object) -> Iterator[tuple[str, Any]]:
    for part in section if isinstance(section, Repeated) else [section]:
        if isinstance(part, dict):
            yield from part.items()


def _statement(kind: str, identifier: str, body: dict[str, Any], names: Names) -> Statement:
    statement = Statement(kind, names.node(identifier))
    if identifier.startswith("_:") and kind in RELATIONS:
        statement.id = None  # PROV-JSON's keys for statements without an identifier; they name nothing
    for key, given in body.items():
        local = key.removeprefix("prov:")
        if key.startswith("prov:") and is_relation_argument(kind, local):
            values = [_argument(local, value, names) for value in as_list(given)]
            statement.formal[local] = [value for value in values if value is not None]
            continue
        predicate = PROV[local] if key.startswith("prov:") and " " not in local else names.iri(key)
        statement.attributes += [(predicate, _value(value, names, predicate)) for value in as_list(given) if value is not None]
    return statement


def _argument(name: str, value: Any, names: Names) -> Term | None:
    text = value.get("$") if isinstance(value, dict) else value
    if text is None:
        return None
    return moment(str(text)) if name in _TIMES else names.node(str(text))


def _value(value: Any, names: Names, predicate: NamedNode) -> Term:
    if isinstance(value, dict):
        text, datatype, language = value.get("$"), value.get("type"), value.get("lang")
        if isinstance(language, str) and re.fullmatch(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", language):
            return Literal(str(text), language=language)
        if isinstance(text, str) and datatype in _QNAMES:
            return names.iri(text)
        if isinstance(text, str) and datatype == "xsd:anyURI" and is_absolute(encoded(text)):
            return NamedNode(encoded(text))
        if isinstance(datatype, str) and text is not None and datatype not in ("xsd:string", "prov:InternationalizedString"):
            return Literal(_plain(text), datatype=names.iri(datatype))
        value = text if text is not None else str(value)
    if isinstance(value, str):
        # yProv writes qualified names of types and roles as plain strings.
        if predicate in (PROV.type, PROV.role) and names.known(value):
            return names.iri(value)
        return Literal(value)
    if isinstance(value, bool):
        return Literal(_plain(value), datatype=XSD.boolean)
    if isinstance(value, int | float):
        return Literal(_plain(value), datatype=XSD.integer if isinstance(value, int) else XSD.double)
    return Literal(str(value))


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cwlprov(source: Source) -> list[Path]:
    return sorted((source.path / "metadata" / "provenance").glob("*.cwlprov.json"))
