"""Writing and reading what persons say of what a change does to a thing; it stands beside the computed verdict."""

from __future__ import annotations

from typing import Any

from pyoxigraph import Literal, NamedNode, Triple

from headwater import __version__
from headwater.access import Reader
from headwater.access.levels import level, narrowness
from headwater.app.opened import Opened
from headwater.app.said import STATED, Statement, Statements
from headwater.app.sight import Sight
from headwater.app.writing import Importing
from headwater.errors import BadParameter, Forbidden
from headwater.records.draft import Draft
from headwater.terms.minting import short_hash, slug
from headwater.terms.names import FOAF, HW, PROV, RDF, RDFS, XSD
from headwater.terms.vocabulary import ontology_files

_LONGEST = 4_000


class Stating(Opened):
    """Writing and reading what persons say."""

    def state(
        self,
        reader: Reader,
        *,
        id: str,
        change: str,
        state: str,
        because: str | None = None,
        justification: str | None = None,
        visibility: str | None = None,
        by: str | None = None,
    ) -> dict[str, Any]:
        """Record what somebody (`by`; else the reader) says of what an announced change does to a thing.

        Saying it anew replaces what he said before; what was said before stays in the record's history.

        Raises `BadParameter` where the state is none that a person gives, where `id` or `change` is no such thing, and where
        "not_affected" is said without a reason; `Forbidden` for a level that the reader does not see.
        """
        sight = self._sight(reader)
        about, regarding = self.resolve(id, reader), self.resolve(change, reader)
        if self._answerer.notices.notice(regarding, sight) is None:
            raise BadParameter(
                f"change: <{regarding}> is no announced change.", parameter="change", remedy="Announce the change first."
            )
        if state not in STATED:
            raise BadParameter(
                f"state: '{state}' is none of {', '.join(STATED)}",
                parameter="state",
                remedy="What nobody can tell is worked out, and not stated." if state == "cannot_tell" else "",
            )
        because = (because or "").strip() or None
        if because is not None and len(because) > _LONGEST:
            raise BadParameter(f"because: more than {_LONGEST:,} characters", parameter="because")
        if justification is not None and not ontology_files().label(HW[f"because-{justification}"]):
            raise BadParameter(f"justification: '{justification}' is no known code", parameter="justification")
        if state == "not_affected" and because is None and justification is None:
            raise BadParameter(
                "because: who says that something is not affected says why", parameter="because", remedy="Give a reason."
            )
        word = level(visibility) if visibility else self._narrowest(about, regarding, sight)
        if not reader.sees(word):
            raise Forbidden(f"Records with the visibility '{word}' are not yours to write.")
        author = by or reader.name
        key = short_hash(about, regarding, author)
        iri, record = self.mint.thing("statement", key), self.mint.record(f"statement-{key}")
        statements = Statements(self._store)
        before = next((one for one in statements.of(sight, about=about, change=regarding) if one.iri == iri), None)
        # Saying the same again is nothing new, and keeps the time at which it was first said.
        same = before is not None and (before.state, before.justification, before.because) == (state, justification, because)
        at = before.at if before is not None and same and before.at is not None else _as_stored(self._clock())
        said = Statement(iri, about, regarding, state, justification, because, author, at)
        draft = Draft(record, record, f"{author} says {state} of <{about}>", self._triples(said))
        importing = Importing("statement", __version__, "asserted", reader.name, reader.sees)
        outcome = self._writer.commit([(draft, word)], [], importing, "", None)[0]
        return {"record": record, "status": outcome.status, "sequence": self.sequence, **said.as_dict()}

    def _triples(self, said: Statement) -> list[Triple]:
        node, person = NamedNode(said.iri), NamedNode(self.mint.thing("agent", slug(said.by or "")))
        found = [
            Triple(node, RDF.type, HW.Statement),
            Triple(node, HW.about, NamedNode(said.about)),
            Triple(node, HW.regarding, NamedNode(said.change)),
            Triple(node, HW.says, Literal(said.state)),
            Triple(node, PROV.wasAttributedTo, person),
            Triple(node, PROV.generatedAtTime, Literal(said.at or "", datatype=XSD.dateTime)),
            Triple(person, RDF.type, PROV.Agent),
            Triple(person, FOAF.name, Literal(said.by or "")),
        ]
        if said.because is not None:
            found.append(Triple(node, RDFS.comment, Literal(said.because)))
        if said.justification is not None:
            found.append(Triple(node, HW.givenReason, HW[f"because-{said.justification}"]))
        return found

    def _narrowest(self, about: str, regarding: str, sight: Sight) -> str:
        """The level of a statement where none is asked for: it names two things, and is no wider than what tells of them."""
        nodes = [node for node in (sight.lineage.find(about), sight.lineage.find(regarding)) if node is not None]
        words = sorted({self.settings.default_visibility, *(sight.lineage.visibility(node) for node in nodes)}, key=narrowness)
        if len(words) > 1 and narrowness(words[-2]) == 2:
            raise BadParameter(
                f"visibility: the two things named are seen by different people ({', '.join(words[-2:])})",
                parameter="visibility",
                remedy="Say who may see the statement.",
            )
        return words[-1]

    def statements_on(self, reader: Reader, *, id: str | None = None, change: str | None = None) -> list[dict[str, Any]]:
        """What persons say that the reader may see, about a thing or regarding a change or both; the latest first."""
        about = None if id is None else self.resolve(id, reader)
        regarding = None if change is None else self.resolve(change, reader)
        return [one.as_dict() for one in Statements(self._store).of(self._sight(reader), about=about, change=regarding)]


def _as_stored(moment: str) -> str:
    """A time as the store spells it, so that what is read from there and said again is the same statement.

    >>> _as_stored("2026-11-20T00:00:00.120000Z"), _as_stored("2026-11-20T00:00:00.000000Z")
    ('2026-11-20T00:00:00.12Z', '2026-11-20T00:00:00Z')
    """
    whole, dot, rest = moment.removesuffix("Z").partition(".")
    fraction = rest.rstrip("0")
    return f"{whole}{dot if fraction else ''}{fraction}Z"
