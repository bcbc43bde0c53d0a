"""Importing PROV-XML (W3C note of 2013), with qualified names read by the prefixes in scope where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from xml.etree import ElementTree

from pyoxigraph import Literal, NamedNode

from headwater.errors import UnreadableSource
from headwater.importers.documents import encoded, head, is_absolute, record_key, whole
from headwater.importers.protocol import Sniff, Source
from headwater.importers.prov_json import drafts
from headwater.importers.prov_statements import ELEMENTS, RELATIONS, Bundle, Names, Statement, Term, is_relation_argument, moment
from headwater.records.draft import Draft, Failure, Finding
from headwater.terms.minting import Mint
from headwater.terms.names import PROV, XSD

_PROV = f"{{{PROV!s}}}"
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_SORTS = {
    "plan": ("entity", "Plan"),
    "bundle": ("entity", "Bundle"),
    "collection": ("entity", "Collection"),
    "emptyCollection": ("entity", "EmptyCollection"),
    "person": ("agent", "Person"),
    "organization": ("agent", "Organization"),
    "softwareAgent": ("agent", "SoftwareAgent"),
    "wasRevisionOf": ("wasDerivedFrom", "Revision"),
    "wasQuotedFrom": ("wasDerivedFrom", "Quotation"),
    "hadPrimarySource": ("wasDerivedFrom", "PrimarySource"),
}
"""PROV-XML's elements for things and relations of a certain type, and what they are short for."""
_DEEPEST = 100


class ProvXmlImporter:
    """PROV-XML documents, read without their schema and without anything they point to."""

    name = "prov-xml"
    version = "1"
    title = "PROV-XML document"
    evidence = "declared"

    def sniff(self, source: Source) -> Sniff | None:
        start = head(source.path)
        if re.search(rb"<(\w+:)?(document|bundleContent)[\s>]", start) and str(PROV).encode() in start:
            return Sniff(0.85, "XML with PROV's document element")
        return None

    def size(self, source: Source) -> int | None:  # noqa: ARG002 (known only when it has been read)
        return None

    def read(self, source: Source, mint: Mint) -> Iterator[Draft | Failure]:
        """One record for the document and one for each bundle. Raises `UnreadableSource` for what is no PROV-XML."""
        data = whole(source.path, source.name, source.max_bytes)
        yield from drafts(read_xml(data, source.name, mint.record(record_key(source, data, "prov"))), source, data, mint)


def read_xml(data: bytes, name: str, record: str) -> list[Bundle]:
    """The bundles of a PROV-XML document, itself first. Raises `UnreadableSource`, also for a document type declaration.

    >>> text = '<document xmlns="http://www.w3.org/ns/prov#" xmlns:ex="urn:ex:"><entity id="ex:a"/></document>'
    >>> read_xml(text.encode(), "a.xml", "urn:record")[0].statements[0].id
    <NamedNode value=urn:ex:a>
    """
    if re.search(rb"<!(DOCTYPE|ENTITY)", data[: 2**16], re.IGNORECASE):
        raise UnreadableSource(
            f"{name}: document type declarations are not read.", remedy="Write the document without a DOCTYPE."
        )
    reading = _Reading(name, record)
    try:
        root = reading.tree(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        line = getattr(error, "position", (None,))[0]
        raise UnreadableSource(f"{name}: is no well-formed XML ({error}).", line=line) from error
    if root.tag != f"{_PROV}document":
        raise UnreadableSource(f"{name}: is XML, but its outermost element is not PROV's document.")
    bundles = [reading.bundle(None, root)]
    bundles += [reading.bundle(part, part) for part in root.iter(f"{_PROV}bundleContent")]
    return bundles


class _Reading:
    def __init__(self, where: str, record: str) -> None:
        self.where = where
        self.record = record
        self._scopes: dict[ElementTree.Element, dict[str, str]] = {}
        self._names: dict[tuple[int, tuple[tuple[str, str], ...]], Names] = {}
        self._bundle = 0

    def tree(self, data: bytes) -> ElementTree.Element:
        """The root, with the prefixes in scope at each element kept: qualified names in content need them."""
        scope: list[tuple[str, str]] = []
        current: dict[str, str] = {}
        root: ElementTree.Element | None = None
        depth = 0
        for event, what in ElementTree.iterparse(BytesIO(data), ("start-ns", "end-ns", "start", "end")):
            if event == "start-ns":
                scope.append(what)
                current = dict(scope)
            elif event == "end-ns":
                scope.pop()
                current = dict(scope)
            elif event == "start":
                depth += 1
                if depth > _DEEPEST:
                    raise UnreadableSource(f"{self.where}: elements are nested deeper than {_DEEPEST} levels.")
                self._scopes[what] = current
                root = what if root is None else root
            else:
                depth -= 1
        assert root is not None
        return root

    def bundle(self, key: ElementTree.Element | None, content: ElementTree.Element) -> Bundle:
        self._bundle += 1
        own = None if key is None else _attribute(key, "id")
        found = Bundle(None if own is None or key is None else self.names(key).iri(own).value)
        for element in content:
            sort = _local(element)
            if sort in ("bundleContent", "other", None):
                if sort is None:
                    what = f"the element {element.tag} is none of PROV's"
                    found.findings.append(Finding("unmapped", "unknown-element", what, self.where))
                continue
            kind, special = _SORTS.get(sort, (sort, None))
            if kind not in ELEMENTS and kind not in RELATIONS:
                found.findings.append(Finding("unmapped", "unknown-element", f"prov:{sort} is not read", self.where))
                continue
            found.statements.append(self._statement(kind, special, element))
        mended = {
            finding.what: finding
            for (number, _), names in self._names.items()
            if number == self._bundle
            for finding in names.findings
        }
        found.findings += mended.values()
        return found

    def names(self, element: ElementTree.Element) -> Names:
        scope = self._scopes[element]
        key = self._bundle, tuple(sorted(scope.items()))
        if key not in self._names:
            prefixes = dict(scope)
            default = prefixes.pop("", None)
            self._names[key] = Names(prefixes, self.record, self.where, default if default != str(PROV) else None)
        return self._names[key]

    def _statement(self, kind: str, special: str | None, element: ElementTree.Element) -> Statement:
        own = _attribute(element, "id")
        statement = Statement(kind, None if own is None else self.names(element).node(own))
        if special is not None:
            statement.attributes.append((PROV.type, PROV[special]))
        for child in element:
            name = _local(child)
            if name is not None and is_relation_argument(kind, name):
                reference = _attribute(child, "ref")
                text = (child.text or "").strip()
                if reference is not None:
                    statement.formal.setdefault(name, []).append(self.names(child).node(reference))
                elif text:
                    statement.formal.setdefault(name, []).append(moment(text))
                continue
            namespace, _, local = child.tag.removeprefix("{").rpartition("}")
            predicate = NamedNode(encoded(namespace + local)) if is_absolute(namespace) else self.names(child).iri(local)
            statement.attributes.append((predicate, self._value(child)))
        return statement

    def _value(self, element: ElementTree.Element) -> Term:
        text = "".join(element.itertext())
        datatype, language = element.get(_XSI_TYPE), element.get(_LANGUAGE)
        reference = _attribute(element, "ref")
        if reference is not None:
            return self.names(element).node(reference)
        if language is not None and re.fullmatch(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", language):
            return Literal(text, language=language)
        if datatype is None:
            return Literal(text)
        kind = self.names(element).iri(datatype)
        if kind == XSD.QName:
            return self.names(element).iri(text.strip())
        if kind == XSD.anyURI and is_absolute(encoded(text.strip())):
            return NamedNode(encoded(text.strip()))
        return Literal(text) if kind == XSD.string else Literal(text, datatype=kind)


def _local(element: ElementTree.Element) -> str | None:
    return element.tag.removeprefix(_PROV) if element.tag.startswith(_PROV) else None


def _attribute(element: ElementTree.Element, name: str) -> str | None:
    return element.get(_PROV + name, element.get(name))
