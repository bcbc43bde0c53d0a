"""Each reason that a rule can give stands in words that people understand."""

from __future__ import annotations

from headwater.terms.justifications import because, settled_by
from headwater.terms.vocabulary import vocabulary


def test_each_code_of_the_ontology_has_words() -> None:
    words = vocabulary()
    codes = {rule.because for rule in words.rules}
    codes |= {change.because for change in words.changes.values() if change.because}
    codes |= {effect.because for effect in words.effects if effect.because}
    assert [code for code in sorted(codes) if because(code) == code.replace("-", " ")] == []


def test_each_doubt_says_in_both_languages_what_would_settle_it() -> None:
    doubts = ("later-revision", "unversioned-use", "slice-unknown", "expanded-only", "steered-when-unknown", "hidden-path")
    for code in doubts:
        assert because(code) != because(code, "de")
        english, german = settled_by(code), settled_by(code, "de")
        assert english
        assert german
        assert english != german
