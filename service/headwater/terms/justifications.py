"""Justification codes in words, as `ontology/justifications.ttl` says them."""

from __future__ import annotations

from functools import cache

from headwater.terms.names import HW
from headwater.terms.vocabulary import ontology_files


@cache
def because(code: str, language: str = "en") -> str:
    """What completes "because" for a code; an unknown one, as a third party's rule may give, is read as it stands.

    >>> because("trained-on"), because("cosmic-rays")
    ('it was trained on what changed', 'cosmic rays')
    """
    return ontology_files().label(HW[f"because-{code}"], language=language) or code.replace("-", " ")


@cache
def settled_by(code: str, language: str = "en") -> str | None:
    """What would settle a doubt, as a whole sentence; None for a code that is no doubt.

    >>> settled_by("unversioned-use")
    'Record which version it used.'
    >>> settled_by("trained-on") is None
    True
    """
    return ontology_files().label(HW[f"because-{code}"], HW.settledBy, language) or None
