"""Each reason that a rule can give stands in words that people understand."""

from __future__ import annotations

from headwater.terms.justifications import because
from headwater.terms.vocabulary import vocabulary


def test_each_code_of_the_ontology_has_words() -> None:
    words = vocabulary()
    codes = {rule.because for rule in words.rules}
    codes |= {change.because for change in words.changes.values() if change.because}
    codes |= {effect.because for effect in words.effects if effect.because}
    assert [code for code in sorted(codes) if because(code) == code.replace("-", " ")] == []
