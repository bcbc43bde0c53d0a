"""Where the things around an object are stated to lie, and what somebody who went there found: what is still there, what is gone.

Looking is an effect and is handed in as a `Look`; here stands only what to look at, and what follows from what was seen. It is
stated in the words of `shapes/profiles/`, which decide what that means.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from typing import Literal as OneOf

from pyoxigraph import Literal, NamedNode, Triple

from headwater.checking.report import SHAPES
from headwater.terms.names import DCAT, DCTERMS, HW, MLS, PROV, RDF, SCHEMA

State = OneOf["resolvable", "gone", "not_checked"]
Digest = OneOf["same", "differs", "not_compared"]

LOOKED_UP = NamedNode(SHAPES + "lookedUp")
"""Stated of the object that is judged when somebody looked."""
RESOLVABLE, GONE, UNCHECKED, ALTERED = (NamedNode(SHAPES + name) for name in ("resolvable", "gone", "unchecked", "altered"))
OBSERVED = frozenset({LOOKED_UP, RESOLVABLE, GONE, UNCHECKED, ALTERED})
"""What only a look can say: no document's word is taken for it."""

_ADDRESSES = (
    HW.location,
    DCAT.downloadURL,
    DCAT.accessURL,
    DCAT.landingPage,
    SCHEMA.contentUrl,
    SCHEMA.url,
    SCHEMA.codeRepository,
    PROV.atLocation,
)
_IDENTIFIERS = (DCTERMS.identifier, SCHEMA.identifier)
_RESOLVED = ("doi:", "hdl:")
_PARTS = (DCAT.distribution, SCHEMA.distribution)
_DIGESTS = (HW.digest, SCHEMA.sha256)
_DOINGS = frozenset({HW.Run, MLS.Run, PROV.Activity})

_REASONS = {
    "there": ("It is there.", "Es ist da."),
    "no-such-file": ("There is no such file on this machine.", "Auf diesem Rechner gibt es keine solche Datei."),
    "not-found": ("The server says that it is not there (any more).", "Der Server sagt, dass es nicht (mehr) da ist."),
    "elsewhere": (
        "Nothing of this path exists on this machine; it may be another's.",
        "Von diesem Pfad gibt es auf diesem Rechner nichts; er gehört vielleicht zu einem anderen.",
    ),
    "no-path": ("It is no address that can be looked up.", "Es ist keine Adresse, die sich nachschlagen lässt."),
    "scheme": (
        "Addresses of this kind are not looked up from here.",
        "Adressen dieser Art werden von hier nicht nachgeschlagen.",
    ),
    "folder": (
        "This service looks only into the folders of the setting resolve_folders.",
        "Dieser Dienst sieht nur in die Ordner der Einstellung resolve_folders.",
    ),
    "permission": ("The folder or file may not be read from here.", "Ordner oder Datei sind von hier nicht lesbar."),
    "private": (
        "It is an address of a private network, and the setting resolve_private does not allow these.",
        "Es ist eine Adresse eines privaten Netzes, und die Einstellung resolve_private erlaubt diese nicht.",
    ),
    "secret": ("The address holds a password and is not used.", "Die Adresse enthält ein Passwort und wird nicht benutzt."),
    "login": ("The server wants to know who asks.", "Der Server will wissen, wer fragt."),
    "redirects": (
        "It leads on and on, or to what is no web address.",
        "Es führt immer weiter oder zu etwas, das keine Webadresse ist.",
    ),
    "no-answer": ("Nobody answered in time.", "Niemand hat rechtzeitig geantwortet."),
    "answer": ("The server could not say.", "Der Server konnte es nicht sagen."),
    "too-many": ("There are too many places to look at.", "Es sind zu viele Orte, um überall nachzusehen."),
}


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen at an address: `reason` is a word of this module's table, `digest` how the content compares."""

    state: State
    reason: str
    digest: Digest = "not_compared"

    def said(self, language: str = "en") -> str:
        """The reason as a sentence.

        >>> Sighting("gone", "not-found").said("de")
        'Der Server sagt, dass es nicht (mehr) da ist.'
        """
        return _REASONS[self.reason][language == "de"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a thing is stated to lie, and the digests (`sha256:…`) by which its content would be known."""

    thing: str
    text: str
    digests: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Place:
    """An address, and what was seen there."""

    address: Address
    label: str
    sighting: Sighting

    def as_dict(self, language: str = "en") -> dict[str, Any]:
        """For JSON: `state` is `resolvable`, `gone` or `not_checked`."""
        return {
            "id": self.address.thing,
            "label": self.label or None,
            "address": self.address.text,
            "state": self.sighting.state,
            "reason": self.sighting.said(language),
            "digest": self.sighting.digest,
        }


Look = Callable[[Sequence[Address]], Sequence[Sighting]]
"""Goes to each address and says what is there, in their order."""


def addresses(statements: Iterable[Triple]) -> list[Address]:
    """Where the things that statements are about lie, each address of a thing once. Runs lie nowhere: they took place.

    >>> data = NamedNode("urn:d")
    >>> said = [Triple(data, HW.location, Literal("/data/a.csv")), Triple(data, HW.digest, Literal("sha256:00"))]
    >>> addresses(said)
    [Address(thing='urn:d', text='/data/a.csv', digests=frozenset({'sha256:00'}))]
    """
    owner: dict[str, str] = {}
    digests: dict[str, set[str]] = defaultdict(set)
    doings: set[str] = set()
    found: dict[tuple[str, str], None] = {}
    for triple in statements:
        subject, predicate, value = triple.subject, triple.predicate, triple.object
        if not isinstance(subject, NamedNode) or not isinstance(value, NamedNode | Literal):
            continue
        if predicate in _PARTS:
            owner[value.value] = subject.value
        elif predicate == RDF.type and value in _DOINGS:
            doings.add(subject.value)
        elif predicate in _DIGESTS:
            digests[subject.value].add(value.value if ":" in value.value else f"sha256:{value.value}")
        elif predicate in _ADDRESSES or (predicate in _IDENTIFIERS and value.value.lower().startswith(_RESOLVED)):
            found[subject.value, value.value] = None
    return [
        Address(owner.get(node, node), text, frozenset(digests.get(node) or digests.get(owner.get(node, ""), set())))
        for node, text in found
        if node not in doings
    ]


def statements(focus: str, places: Iterable[Place]) -> list[Triple]:
    """What was seen, for the shapes: of each thing `hws:resolvable`, `hws:gone`, `hws:unchecked` or `hws:altered` with the
    address, and of the object that is judged that somebody looked."""
    said = [Triple(NamedNode(focus), LOOKED_UP, Literal(True))]
    by_state = {"resolvable": RESOLVABLE, "gone": GONE, "not_checked": UNCHECKED}
    for place in places:
        seen = ALTERED if place.sighting.digest == "differs" else by_state[place.sighting.state]
        said.append(Triple(NamedNode(place.address.thing), seen, Literal(place.address.text)))
    return said
