"""Check digits of ORCID iDs and ROR identifiers: SHACL cannot do the sums, so that they are done here and stated as a fact.

ORCID uses ISO 7064 MOD 11-2; ROR writes a number in Crockford's base 32 followed by 98 minus its hundredfold modulo 97
(ISO 7064 MOD 97-10), as https://ror.readme.io describes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pyoxigraph import Literal, NamedNode, Triple

from headwater.terms.names import DCTERMS, SCHEMA

FAILS = NamedNode("https://w3id.org/headwater/shapes#failsCheckDigit")
"""Stated, for a profile only, of the object that is judged: an identifier in or around it has wrong check digits."""

_ORCID = re.compile(r"(?:orcid:|https?://orcid\.org/)(\d{4}-\d{4}-\d{4}-\d{3}[\dX])/?", re.IGNORECASE)
_ROR = re.compile(r"(?:ror:|https?://ror\.org/)0([a-hj-km-np-tv-z0-9]{6})(\d\d)/?", re.IGNORECASE)
_BASE_32 = "0123456789abcdefghjkmnpqrstvwxyz"
_IDENTIFYING = (DCTERMS.identifier, SCHEMA.identifier)


def fits(identifier: str) -> bool | None:
    """Whether the check digits of an ORCID iD or ROR identifier are right; None for anything else.

    >>> fits("orcid:0000-0002-1825-0097"), fits("https://orcid.org/0000-0002-1825-0098"), fits("https://ror.org/02mhbdp94")
    (True, False, True)
    """
    if found := _ORCID.fullmatch(identifier):
        digits = found[1].replace("-", "").upper()
        total = 0
        for digit in digits[:-1]:
            total = (total + int(digit)) * 2
        return digits[-1] == "0123456789X"[(12 - total % 11) % 11]
    if found := _ROR.fullmatch(identifier):
        number = 0
        for digit in found[1].lower():
            number = number * 32 + _BASE_32.index(digit)
        return int(found[2]) == 98 - number * 100 % 97
    return None


def wrong(statements: Iterable[Triple]) -> list[str]:
    """The identifiers in `statements` whose check digits are wrong: IRIs, and what `dcterms:identifier` says of them.

    >>> from headwater.terms.names import FOAF
    >>> wrong([Triple(NamedNode("https://orcid.org/0000-0002-1825-0098"), FOAF.name, Literal("A"))])
    ['https://orcid.org/0000-0002-1825-0098']
    """
    met: dict[str, None] = {}
    for triple in statements:
        if isinstance(triple.subject, NamedNode):
            met[triple.subject.value] = None
        if isinstance(triple.object, NamedNode) or (triple.predicate in _IDENTIFYING and isinstance(triple.object, Literal)):
            met[triple.object.value] = None
    return [identifier for identifier in met if fits(identifier) is False]
