"""Names as numbers: the same as a dictionary and a list would say, in a tenth of the memory."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.lineage import names as names_module
from headwater.lineage.names import Names, of_one_store

some = settings(max_examples=100, deadline=None)
words = st.text(max_size=6)


@pytest.fixture(params=["apart", "worked in", "colliding"])
def how(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Names kept in the dictionary, worked in at once, and worked in with hashes that are nearly all the same."""
    monkeypatch.setattr(names_module, "_MOST_RECENT", 10**9 if request.param == "apart" else 0)
    if request.param == "colliding":
        monkeypatch.setattr(names_module, "_hashed", lambda texts: np.array([len(text) % 2 for text in texts], np.uint64))
    return str(request.param)


@pytest.mark.usefixtures("how")
def test_names_are_what_a_dictionary_would_say() -> None:
    for seed in range(150):
        pick = random.Random(seed)
        names, known = Names(), dict[str, int]()
        for _ in range(pick.randrange(5)):
            given_names = [
                "".join(pick.choice("aäb\ud800𝛑\0") for _ in range(pick.randrange(4))) for _ in range(pick.randrange(6))
            ]
            for name in given_names:
                known.setdefault(name, len(known))
            assert names.add(given_names) == [known[name] for name in given_names]
        assert len(names) == len(known)
        assert list(names.listed(len(names))) == list(known)
        assert [names.find(name) for name in known] == list(known.values())
        assert names.find("not there") is None
        again = Names.of_arrays({name: values.copy() for name, values in names.arrays().items()}, ["later"])
        assert [again.find(name) for name in (*known, "later")] == list(range(len(known) + 1))


@some
@given(st.lists(words, unique=True), st.integers(-9, 9), st.integers(-9, 9), st.sampled_from([1, 2, -1]))
def test_a_list_of_names_is_read_as_lists_are(given_names: list[str], first: int, last: int, step: int) -> None:
    names = Names()
    names.fill(given_names)
    listed = names.listed(len(given_names))
    assert listed[first:last:step] == given_names[first:last:step]
    assert listed == given_names
    for place in range(-len(given_names), len(given_names)):
        assert listed[place] == given_names[place]
    for place in (len(given_names), -len(given_names) - 1):
        with pytest.raises(IndexError):
            listed[place]


def test_what_is_named_later_does_not_show_in_an_earlier_list() -> None:
    names = Names(["urn:a", "urn:b"])
    listed, ids = names.listed(2), names.ids(2)
    names.add(["urn:c"])
    assert list(listed) == ["urn:a", "urn:b"]
    assert dict(ids) == {"urn:a": 0, "urn:b": 1}
    assert ids.get("urn:c") is None
    assert "urn:c" not in listed
    assert names.ids(3)["urn:c"] == 2
    assert listed != ["urn:a", "urn:c"]
    assert listed != names.listed(3)
    assert of_one_store(listed, names.listed(3))
    assert not of_one_store(listed, Names(["urn:a", "urn:b"]).listed(2))
