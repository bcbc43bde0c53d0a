"""Uptake: what rests on each revision, what is still on an old one, and what was made anew from a newer one."""

from __future__ import annotations

from headwater.lineage.families import family_of
from headwater.lineage.uptake import Uptake, uptakes
from tests.lineage.worlds import World, used

THREE = f"""
:v1 a hw:Dataset . :v2 a hw:Dataset ; prov:wasRevisionOf :v1 . :v3 a hw:Dataset ; prov:wasRevisionOf :v2 .
:r1 a hw:Run ; {used(":v1", "train")} . :m1 a hw:Model ; prov:wasGeneratedBy :r1 .
:r2 a hw:Run ; {used(":v2", "train")} . :m2 a hw:Model ; prov:wasGeneratedBy :r2 ; prov:wasRevisionOf :m1 .
:r3 a hw:Run ; {used(":v1", "train")} . :old a hw:Model ; prov:wasGeneratedBy :r3 .
:both a hw:Run ; {used(":v1", "train")} ; {used(":v3", "test")} .
:shop a hw:Deployment ; hw:deploys :old .
"""


def told(world: World) -> tuple[dict[str, Uptake], int]:
    graph = world.graph
    family = family_of(world.id("v1"), graph)
    found, anything = uptakes(graph, family, sorted(family))
    return {world.name(one.revision): one for one in found}, anything


def named(world: World, nodes: tuple[int, ...]) -> set[str]:
    return {world.name(node) for node in nodes}


def test_what_is_on_an_old_revision_and_on_no_later_one_is_still_on_it() -> None:
    world = World(THREE)
    found, anything = told(world)
    assert named(world, found["v1"].still) == {"r1", "r3", "old", "shop"}
    assert named(world, found["v1"].users) == {"r1", "r3", "both"}
    assert named(world, found["v2"].still) == {"r2", "m2"}
    assert [found[name].latest for name in ("v1", "v2", "v3")] == [False, False, True]
    assert anything == 8


def test_a_model_that_was_made_anew_from_a_later_revision_has_moved_on() -> None:
    world = World(THREE)
    found, _ = told(world)
    assert named(world, found["v1"].moved) == {"m1"}


def test_nobody_is_still_on_the_latest_revision() -> None:
    found, _ = told(World(THREE))
    assert (found["v3"].still, found["v3"].moved) == ((), ())


def test_revisions_that_revise_each_other_end() -> None:
    world = World(
        f":v1 a hw:Dataset ; prov:wasRevisionOf :v2 . :v2 a hw:Dataset ; prov:wasRevisionOf :v1 . "
        f":r a hw:Run ; {used(':v1', 'train')} ."
    )
    found, anything = told(world)
    assert anything == 1
    assert named(world, found["v1"].still) == {"r"}
