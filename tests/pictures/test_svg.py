"""Pictures as files: well-formed whatever a label holds, every thing a link, nothing told by colour alone."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.pictures.badge import badge
from headwater.pictures.png import png
from headwater.pictures.scene import Edge, Node, Scene
from headwater.pictures.svg import stylesheet, svg
from headwater.pictures.text import dot, placed

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<script>alert(1)</script>",
    "\"onload='alert(1)' x=\"",
    "]]><!--",
    "\u202eevil\u202c",
    "x" * 10_000,
    "a\x00b\x08\x1b[31m",
    "\ud800 lone",
    "",
    "数据集" * 60,
    "&amp;&lt;",
]


def _scene(label: str) -> Scene:
    nodes = (
        Node("urn:a", label, "dataset", "/object?id=urn%3Aa&x=1", "affected", "major"),
        Node("urn:b", "run", "run", "/b", "resolved"),
    )
    return Scene("urn:a", nodes, (Edge("urn:a", "urn:b", "prov:used", "train"),))


@pytest.mark.parametrize("label", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_label_stays_text(label: str) -> None:
    picture = svg(_scene(label), title=label)
    tree = ElementTree.fromstring(picture)
    assert {element.tag.removeprefix(SVG) for element in tree.iter()} <= {
        "svg", "title", "desc", "style", "defs", "marker", "path", "g", "a", "text",
    }  # fmt: skip
    assert "\u202e" not in picture
    assert not any(name.lower().startswith("on") for element in tree.iter() for name in element.attrib)
    assert len(picture) < 40_000


@given(st.text(max_size=60))
def test_any_label_gives_well_formed_xml(label: str) -> None:
    ElementTree.fromstring(svg(_scene(label), title=label))
    ElementTree.fromstring(badge(label, "affected", label))


def test_every_thing_is_a_link_with_its_full_name_as_title() -> None:
    tree = ElementTree.fromstring(svg(_scene("digits, first labels, collected in the spring of 2025 by two students"), title="t"))
    links = tree.findall(f".//{SVG}a")
    assert [link.get("href") for link in links] == ["/object?id=urn%3Aa&x=1", "/b"]
    assert links[0].findtext(f"{SVG}title") == (
        "dataset: digits, first labels, collected in the spring of 2025 by two students (affected, major)"
    )


def test_states_differ_by_mark_and_line_pattern_not_by_colour_alone() -> None:
    picture = svg(_scene("digits"), title="t")
    assert "▲ major" in picture
    assert "✓ resolved" in picture
    light = stylesheet().split("@media")[0]
    patterns = {line for line in light.splitlines() if ".hw-card" in line and "stroke-dasharray" in line}
    assert len(patterns) == 3


def test_the_picture_names_itself_for_screen_readers() -> None:
    tree = ElementTree.fromstring(svg(_scene("digits"), title="Around digits", name="near"))
    assert tree.get("aria-labelledby") == "near-title near-desc"
    assert tree.findtext(f"{SVG}title") == "Around digits"
    assert tree.findtext(f"{SVG}desc") == (
        "2 things and 1 link, upstream on the left and downstream on the right: 1 affected, 1 resolved."
    )


def test_a_picture_inside_a_page_carries_no_style_of_its_own() -> None:
    assert "<style" not in svg(_scene("digits"), title="t", standalone=False)


def test_several_roles_between_two_things_are_written_once_and_together() -> None:
    scene = _scene("digits")
    both = Scene(scene.root, scene.nodes, (*scene.edges, Edge("urn:a", "urn:b", "prov:used", "test")))
    written = [
        text.text for text in ElementTree.fromstring(svg(both, title="t")).iter(f"{SVG}text") if text.get("class") == "hw-role"
    ]
    assert written == ["train, test"]


def test_an_empty_scene_is_still_a_picture() -> None:
    ElementTree.fromstring(svg(Scene("urn:x", (), ()), title="nothing"))


def test_png_has_the_size_of_the_svg_times_the_zoom() -> None:
    picture = svg(_scene("digits"), title="t")
    tree = ElementTree.fromstring(picture)
    width, height = struct.unpack(">II", png(picture, zoom=2)[16:24])
    assert (width, height) == (2 * int(tree.get("width", "0")), 2 * int(tree.get("height", "0")))


def test_dot_and_json_survive_hostile_labels() -> None:
    for label in HOSTILE:
        assert dot(_scene(label)).count("\n") == 5
        assert json.loads(placed(_scene(label)))["nodes"][0]["label"] == label


def test_the_words_of_a_picture_are_drawn_where_the_font_is_there() -> None:
    if not any(Path(folder).is_dir() for folder in ("/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/dejavu")):
        pytest.skip("DejaVu Sans is not installed here")
    word = '<text x="5" y="20" font-family="sans-serif">tau</text>'
    frame = '<svg xmlns="http://www.w3.org/2000/svg" width="80" height="30">{}</svg>'
    assert png(frame.format(word)) != png(frame.format(""))
