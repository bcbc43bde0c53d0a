"""The rules of impact as data: total, monotone, reasoned, and in the words of the design."""

from __future__ import annotations

import dataclasses
from itertools import product

import numpy as np
import pytest

from headwater.lineage.rulebook import BLOCKS, SURE_BLOCKS, IncompleteRules, compile_rules, rulebook
from headwater.lineage.verdict import SEVERITIES, STATES
from headwater.terms.names import HW
from headwater.terms.vocabulary import ontology_files, vocabulary

ROLES = "train finetune validate test pretrain preprocess label calibrate configure execute predict deploy control document cite"
KINDS = "dataset model run workflow software environment publication instrument project agent deployment"
EVIDENCE = "observed declared asserted inferred expanded"
CHANGES = """labels-added labels-corrected values-corrected records-added records-removed schema-changed reserialised
    metadata-only superseded deprecated retracted licence-changed consent-withdrawn bug-found bug-fixed calibration-changed
    environment-changed"""

WORDS = vocabulary()
EFFECT = {effect.name: effect for effect in WORDS.effects}


def chain(name: str) -> list[str]:
    """The effect and all that it is worse than, the worst first."""
    found = [name]
    while (below := EFFECT[found[-1]].worse_than) is not None:
        found.append(below)
    return found


def test_the_words_of_the_design_are_all_there_and_no_others() -> None:
    assert {role.name for role in WORDS.roles if role.stated} == set(ROLES.split())
    # Change notices have pages and lists of their own, though they take no part in lineage.
    assert {kind.name for kind in WORDS.kinds} == {*KINDS.split(), "change"}
    assert set(WORDS.evidence) == set(EVIDENCE.split())
    assert set(WORDS.changes) == set(CHANGES.split())
    assert set(STATES) == {"affected", "not_affected", "resolved", "in_triage", "cannot_tell"}
    assert SEVERITIES == ("critical", "major", "moderate", "minor", "info")
    assert {effect.state for effect in WORDS.effects} <= set(STATES)
    assert {effect.severity for effect in WORDS.effects} <= set(SEVERITIES)


def test_evidence_is_ordered_from_observed_down_to_expanded() -> None:
    assert sorted(WORDS.evidence, key=lambda name: -WORDS.evidence[name]) == EVIDENCE.split()


def test_the_table_is_total_over_effects_roles_and_kinds() -> None:
    book = rulebook()
    assert book.certain.shape == (len(WORDS.effects), len(WORDS.roles) + len(BLOCKS), len(WORDS.kinds) + 2)
    assert (book.certain >= 0).all()
    assert (book.possible >= 0).all()
    assert len(set(book.codes)) == len(book.codes)


def test_a_worse_effect_never_becomes_a_milder_one_than_a_milder_effect_does() -> None:
    book = rulebook()
    for worse in EFFECT:
        for milder in chain(worse)[1:]:
            for table in (book.certain, book.possible):
                assert (table[book.effect(worse)] >= table[book.effect(milder)]).all(), (worse, milder)


def test_what_is_possible_is_never_milder_than_what_is_certain() -> None:
    book = rulebook()
    assert (book.possible >= book.certain).all()


def test_one_change_only_ever_moves_along_one_chain() -> None:
    book = rulebook()
    top = [name for name in EFFECT if all(other.worse_than != name for other in WORDS.effects)]
    chains = [set(chain(name)) for name in top]
    for told in WORDS.changes.values():
        reached, todo = {told.begins_with}, [told.begins_with]
        while todo:
            row = book.effect(todo.pop())
            for number in {*np.unique(book.certain[row]).tolist(), *np.unique(book.possible[row]).tolist()}:
                name = book.effects[number].name
                if name not in reached:
                    reached.add(name)
                    todo.append(name)
        assert any(reached <= one for one in chains), (told.name, reached)


def test_positions_of_effects_grow_along_each_chain_so_that_numbers_can_be_compared() -> None:
    book = rulebook()
    for name in EFFECT:
        places = [book.effect(one) for one in chain(name)]
        assert places == sorted(places, reverse=True)


def test_severity_never_falls_along_a_chain_and_an_affected_effect_stays_affected() -> None:
    for name in EFFECT:
        told = [EFFECT[one] for one in chain(name)]
        ranks = [SEVERITIES.index(effect.severity) for effect in told]
        assert ranks == sorted(ranks)
        states = [effect.state == "affected" for effect in told]
        assert states == sorted(states, reverse=True)


def test_every_row_has_a_code_and_a_reason_and_no_two_rows_of_equal_standing_meet() -> None:
    seen = set()
    for rule in WORDS.rules:
        assert rule.because
        assert rule.reason.endswith(".")
        assert rule.incoming <= set(EFFECT)
        assert rule.over <= {role.name for role in WORDS.roles}
        for cell in product(rule.incoming, rule.over):
            assert (*cell, rule.at_kind) not in seen
            seen.add((*cell, rule.at_kind))


def test_every_effect_has_a_label_and_a_definition_and_is_reached_by_some_change() -> None:
    book = rulebook()
    begun = {told.begins_with for told in WORDS.changes.values()}
    made = {book.effects[number].name for number in np.unique(book.possible).tolist()}
    for effect in WORDS.effects:
        assert effect.label
        assert effect.definition.endswith(".")
        assert effect.name in begun | made


def test_every_kind_of_change_begins_with_an_effect_and_a_harmless_one_says_why() -> None:
    for told in WORDS.changes.values():
        assert told.label
        assert told.begins_with in EFFECT
        assert (told.because is None) == (EFFECT[told.begins_with].state == "affected")


def test_every_role_is_labelled_both_ways_and_used_by_a_rule() -> None:
    over = {role for rule in WORDS.rules for role in rule.over}
    assert over == {role.name for role in WORDS.roles}
    for role in WORDS.roles:
        assert role.label_up
        assert role.label_down
        assert role.label_up != role.label_down


def test_every_stated_role_passes_credit() -> None:
    assert all(role.weight > 0 for role in WORDS.roles if role.stated)


def test_a_table_with_a_gap_or_a_contradiction_is_refused() -> None:
    test_rows = [rule for rule in WORDS.rules if "train" in rule.over and "stale" in rule.incoming]
    without = dataclasses.replace(WORDS, rules=tuple(rule for rule in WORDS.rules if rule not in test_rows))
    with pytest.raises(IncompleteRules, match="'train'"):
        compile_rules(without)
    twice = dataclasses.replace(WORDS, rules=(*WORDS.rules, dataclasses.replace(test_rows[0], because="again")))
    with pytest.raises(IncompleteRules, match="Two rows"):
        compile_rules(twice)


def test_what_an_effect_may_hide_is_worse_and_hides_nothing_itself() -> None:
    book = rulebook()
    hiding = [effect for effect in WORDS.effects if effect.may_hide is not None]
    assert {effect.name for effect in hiding} == {"metrics-invalid", "selection-doubt", "claims-touched"}
    for effect in hiding:
        assert effect.may_hide is not None
        assert effect.name in chain(effect.may_hide)
        assert EFFECT[effect.may_hide].may_hide is None
    generate, kinds = [role.name for role in WORDS.roles].index("generate"), book.kinds
    row = book.possible[book.effect("metrics-invalid"), generate]
    told = {
        kind: book.effects[row[number]].name for number, kind in enumerate(kinds) if kind in ("dataset", "model", "run", "entity")
    }
    assert told == {"dataset": "stale", "model": "metrics-invalid", "run": "metrics-invalid", "entity": "stale"}


def test_roles_exclude_each_other_both_ways_and_only_roles_of_data_do() -> None:
    excludes = {role.name: role.excludes for role in WORDS.roles}
    assert all(one in excludes[other] for one, others in excludes.items() for other in others)
    assert {name for name, others in excludes.items() if others} == {"train", "finetune", "pretrain", "validate", "test"}


def test_every_reason_to_pass_nothing_can_be_told_in_words() -> None:
    files = ontology_files()
    assert all(files.label(HW[f"because-{block}"]) for block in (*BLOCKS, *rulebook().codes))
    assert set(SURE_BLOCKS) < set(BLOCKS)
