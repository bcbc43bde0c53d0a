"""Importing PROV-N, the notation in which people write PROV by hand (W3C Recommendation of 2013)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode

from headwater.errors import UnreadableSource
from headwater.importers.documents import encoded, head, is_absolute, record_key, whole
from headwater.importers.protocol import Sniff, Source
from headwater.importers.prov_json import drafts
from headwater.importers.prov_statements import ELEMENTS, RELATIONS, Bundle, Names, Statement, Term, moment
from headwater.records.draft import Draft, Failure, Finding
from headwater.terms.minting import Mint
from headwater.terms.names import PROV, XSD

_TOKEN = re.compile(
    r"""
      (?P<skip>\s+|//[^\n]*|/\*.*?\*/)
    | (?P<text>\"\"\"(?:[^\\]|\\.)*?\"\"\"|"(?:[^"\\]|\\.)*")
    | (?P<quoted>'(?:[^'\\\n]|\\.)*')
    | (?P<iri><[^<>\s]*>)
    | (?P<typed>%%)
    | (?P<language>@[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)
    | (?P<mark>[()\[\],;=])
    | (?P<word>(?:\\.|[^\s()\[\],;='"<>\\])+)
    """,
    re.VERBOSE | re.DOTALL,
)
# A comment is taken as a whole or not at all (`(?>`): otherwise thirty of them before something else take minutes to tell.
_BEGINNING = re.compile(rb"(?:\xef\xbb\xbf)?(?>\s|//[^\n]*\n|/\*.*?\*/)*+document\s", re.DOTALL)
_TIMED = {"time", "startTime", "endTime"}
_ARGUMENTS = {"entity": (), "agent": (), "activity": ("startTime", "endTime")}


class ProvNImporter:
    """PROV-N documents."""

    name = "prov-n"
    version = "1"
    title = "PROV-N document"
    evidence = "declared"

    def sniff(self, source: Source) -> Sniff | None:
        start = head(source.path)
        if _BEGINNING.match(start):
            return Sniff(0.9 if source.name.endswith(".provn") else 0.7, "it begins with PROV-N's word document")
        return None

    def size(self, source: Source) -> int | None:  # noqa: ARG002 (known only when it has been read)
        return None

    def read(self, source: Source, mint: Mint) -> Iterator[Draft | Failure]:
        """One record for the document and one for each bundle. Raises `UnreadableSource` with the line of the first mistake."""
        data = whole(source.path, source.name, source.max_bytes)
        yield from drafts(read_n(data, source.name, mint.record(record_key(source, data, "prov"))), source, data, mint)


def read_n(data: bytes, name: str, record: str) -> list[Bundle]:
    """The bundles of a PROV-N document, itself first.

    >>> read_n(b"document prefix ex <urn:ex:> used(ex:fit, ex:spectra, -) endDocument", "a", "urn:r")[0].statements[0].formal
    {'activity': [<NamedNode value=urn:ex:fit>], 'entity': [<NamedNode value=urn:ex:spectra>]}
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableSource(f"{name}: PROV-N is written in UTF-8; byte {error.start} is not.") from error
    return _Reading(text, name, record).document()


@dataclass(frozen=True, slots=True)
class _Token:
    sort: str
    text: str
    at: int


class _Reading:
    def __init__(self, text: str, where: str, record: str) -> None:
        self.text = text
        self.where = where
        self.record = record
        self.tokens = self._tokens()
        self.next = self._advance()

    def _tokens(self) -> Iterator[_Token]:
        at = 0
        while at < len(self.text):
            match = _TOKEN.match(self.text, at)
            if match is None:
                raise self._wrong(f"{self.text[at]!r} is not understood here", at)
            if match.lastgroup != "skip":
                yield _Token(match.lastgroup or "", match.group(), at)
            at = match.end()

    def _advance(self) -> _Token:
        return next(self.tokens, _Token("end", "the end", len(self.text)))

    def take(self) -> _Token:
        token, self.next = self.next, self._advance()
        return token

    def expect(self, text: str) -> None:
        token = self.take()
        if token.text != text:
            raise self._wrong(f"{text!r} is missing before {token.text!r}", token.at)

    def _wrong(self, what: str, at: int) -> UnreadableSource:
        line = self.text.count("\n", 0, at) + 1
        return UnreadableSource(
            f"{self.where}:{line}: {what}.", remedy="Correct the document; nothing of it was taken.", line=line
        )

    def document(self) -> list[Bundle]:
        self.expect("document")
        names = self._declarations(Names({}, self.record, self.where))
        bundles = [Bundle(None)]
        while self.next.text != "endDocument":
            if self.next.text == "bundle":
                self.take()
                iri = names.iri(self._name(self.take()))
                inner = Bundle(iri.value)
                self._statements(inner, self._declarations(names), "endBundle")
                bundles.append(inner)
            else:
                self._statement(bundles[0], names)
        bundles[0].findings += names.findings
        return bundles

    def _statements(self, bundle: Bundle, names: Names, end: str) -> None:
        while self.next.text != end:
            self._statement(bundle, names)
        self.take()
        bundle.findings += names.findings

    def _declarations(self, outer: Names) -> Names:
        prefixes: dict[str, str] = {}
        default = None
        while self.next.text in ("prefix", "default"):
            word = self.take().text
            prefix = self.take().text if word == "prefix" else ""
            token = self.take()
            if token.sort != "iri":
                raise self._wrong(f"a namespace in <> is missing before {token.text!r}", token.at)
            if prefix:
                prefixes[prefix] = token.text[1:-1]
            else:
                default = token.text[1:-1]
        return outer.within(prefixes, default)

    def _statement(self, bundle: Bundle, names: Names) -> None:
        head = self.take()
        if head.sort != "word":
            raise self._wrong(f"a statement is missing before {head.text!r}", head.at)
        self.expect("(")
        arguments: list[str | None] = []
        attributes: list[tuple[NamedNode, Term]] = []
        identifier: str | None = None
        while self.next.text != ")":
            token = self.take()
            if token.text == "[":
                attributes = self._attributes(names)
            elif token.text == ";":
                identifier, arguments = (arguments[-1] if arguments else None), []
            elif token.text != ",":
                arguments.append(None if token.text == "-" else self._name(token))
        self.take()
        kind = head.text
        if kind not in ELEMENTS and kind not in RELATIONS:
            what = f"{kind}(…) is no statement of PROV-DM"
            bundle.findings.append(Finding("unmapped", "unknown-statement", what, self.where))
            return
        if kind in ELEMENTS:
            identifier, arguments = (arguments[0] if arguments else None), arguments[1:]
        if kind in ELEMENTS and identifier is None:
            raise self._wrong(f"{kind}(…) has no identifier", head.at)
        expected = _ARGUMENTS[kind] if kind in ELEMENTS else RELATIONS[kind].arguments
        statement = Statement(kind, None if identifier is None else names.node(identifier), attributes=attributes)
        for name, value in zip(expected, arguments, strict=False):
            if value is not None:
                statement.formal[name] = [moment(value) if name in _TIMED else names.node(value)]
        bundle.statements.append(statement)

    def _name(self, token: _Token) -> str:
        if token.sort not in ("word", "quoted"):
            raise self._wrong(f"a name is missing before {token.text!r}", token.at)
        text = token.text[1:-1] if token.sort == "quoted" else token.text
        return re.sub(r"\\(.)", r"\1", text)

    def _attributes(self, names: Names) -> list[tuple[NamedNode, Term]]:
        found: list[tuple[NamedNode, Term]] = []
        while self.next.text != "]":
            if self.next.text == ",":
                self.take()
                continue
            key = self._name(self.take())
            self.expect("=")
            found.append((PROV[key.removeprefix("prov:")] if key.startswith("prov:") else names.iri(key), self._value(names)))
        self.take()
        return found

    def _value(self, names: Names) -> Term:
        token = self.take()
        if token.sort == "quoted":
            return names.iri(self._name(token))
        if token.sort == "word":
            if re.fullmatch(r"[+-]?\d+", token.text):
                return Literal(token.text, datatype=XSD.integer)
            return Literal(self._name(token))
        if token.sort != "text":
            raise self._wrong(f"a value is missing before {token.text!r}", token.at)
        marks = 3 if token.text.startswith('"""') else 1
        text = re.sub(
            r"\\(.)", lambda m: {"n": "\n", "t": "\t", "r": "\r"}.get(m[1], m[1]), token.text[marks:-marks], flags=re.DOTALL
        )
        if self.next.sort == "language":
            return Literal(text, language=self.take().text[1:])
        if self.next.sort != "typed":
            return Literal(text)
        self.take()
        datatype = names.iri(self._name(self.take()))
        if datatype in (PROV.QUALIFIED_NAME, XSD.QName):
            return names.iri(text)
        if datatype == XSD.anyURI and is_absolute(encoded(text)):
            return NamedNode(encoded(text))
        return Literal(text) if datatype == XSD.string else Literal(text, datatype=datatype)
