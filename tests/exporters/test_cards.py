"""Model and dataset cards: valid front matter, honest gaps, and names that stay names."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from headwater.exporters.dataset_card import DatasetCard
from headwater.exporters.markdown import link, plain
from headwater.exporters.model_card import ModelCard
from headwater.questions.description import Description, Thing

HOSTILE = [
    "<script>alert(1)</script>",
    "[x](javascript:alert(1)) ![y](https://evil.example/p.png)",
    "| a | b |\n|---|---|",
    "---\nlicense: evil\n---",
    "# not a heading\n\n<img src=x onerror=alert(1)>",
    "&lt;b&gt; `code` *em* ~~x~~ $x$ @someone",
    "x" * 10_000,
    "\u202eevil\x00\x1b[31m",
    "\ud800",
    "https://evil.example www.evil.example",
]


def _front(card: str) -> dict[str, object]:
    block = re.match(r"---\n(.*?)---\n", card, re.DOTALL)
    assert block is not None
    loaded = yaml.safe_load(block[1])
    assert isinstance(loaded, dict)
    return loaded


def test_a_full_model_card_has_front_matter_that_the_hub_understands(full: Description) -> None:
    front = _front(ModelCard().render(full).decode())
    assert front["license"] == "cc-by-4.0"
    assert front["metrics"] == ["accuracy", "loss"]
    assert front["model-index"] == [
        {
            "name": "digits-svm v2",
            "results": [
                {
                    "task": {"type": "other"},
                    "dataset": {"name": "held-out digits", "type": "dataset/t1"},
                    "metrics": [{"type": "accuracy", "value": 0.9712}],
                }
            ],
        }
    ]


def test_a_model_card_has_the_sections_that_readers_look_for(full: Description) -> None:
    text = ModelCard().render(full).decode()
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [
        "Purpose", "Data", "Training settings", "Metrics", "Environment and code", "Provenance", "Who builds on it", "Limits",
    ]  # fmt: skip
    assert (
        "| was trained with | [digits, first labels](<https://data.example/id/dataset/d1>) | dataset | train | observed |" in text
    )
    assert "| accuracy | 0.9712 | [held-out digits](<https://data.example/id/dataset/t1>) |" in text
    assert "| loss | nan | *Not captured* |" in text


def test_a_card_without_knowledge_says_so_and_invents_nothing(bare: Description) -> None:
    text = ModelCard().render(bare).decode()
    assert _front(text) == {"tags": ["headwater"]}
    for heading in ("Purpose", "Data", "Training settings", "Metrics", "Environment and code"):
        assert f"## {heading}\n\n*Not captured*" in text
    assert "- Training data: *Not captured*" in text


def test_a_hub_data_set_and_base_model_are_named_as_the_hub_names_them(full: Description) -> None:
    data = Thing("https://huggingface.co/datasets/ylecun/mnist", "dataset", "mnist", "dataset/x")
    model = Thing("https://huggingface.co/google/vit-base", "model", "vit", "model/x")
    full.up += [replace(full.up[1], thing=data), replace(full.up[1], thing=model)]
    front = _front(ModelCard().render(full).decode())
    assert (front["datasets"], front["base_model"]) == (["ylecun/mnist"], ["google/vit-base"])


@pytest.mark.parametrize("label", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("exporter", [ModelCard(), DatasetCard()], ids=lambda e: e.name)
def test_a_hostile_name_makes_no_markup(label: str, exporter: ModelCard | DatasetCard, full: Description) -> None:
    hostile = Thing("https://data.example/id/model/x", "model", label, "model/x")
    full.thing = hostile
    full.text = full.version = full.issued = label
    full.identifiers = [label]
    full.up = [replace(one, thing=replace(one.thing, label=label), phrase=label, evidence=label) for one in full.up]
    full.settings = [replace(one, name=label, value=label) for one in full.settings]
    text = exporter.render(full).decode()
    assert "license" in _front(text)
    assert _front(text)["license"] == "cc-by-4.0"
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(re.sub(r"\A---\n.*?---\n", "", text, flags=re.DOTALL))
    assert set(re.findall(r"<([a-z0-9]+)", page)) <= {
        "h1",
        "h2",
        "p",
        "ul",
        "li",
        "a",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "em",
    }
    assert page.count("<h1") == 1
    assert all(
        address.startswith(("https://data.example/", "https://orcid.org/", "https://spdx.org/"))
        for address in re.findall(r'href="([^"]*)', page)
    )


@given(st.text(min_size=1, max_size=40).filter(lambda s: s.strip()))
def test_escaped_text_reads_back_as_it_was(value: str) -> None:
    page = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(plain(value))
    shown = html.unescape(re.sub(r"</?p>", "", page)).strip()
    clean = re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]", " ", value)
    assert " ".join(shown.split()) == " ".join(clean.split())


@pytest.mark.parametrize("value", ["1.0", "1. first", "2)", "- x", "+ y", "# z", "0.5.1", "=", "> q"])
def test_numbers_and_marks_at_the_start_stay_what_they_are(value: str) -> None:
    page = MarkdownIt("commonmark").enable("table").render(plain(value))
    assert html.unescape(page) == f"<p>{value}</p>\n"
    assert "\\1" not in plain("1.0")


def test_only_web_addresses_become_links() -> None:
    assert link("x", "data:text/html,<script>").startswith("x (data")
    assert link("a](b", "https://e.org/a)>b") == "[a\\](b](<https://e.org/a)%3Eb>)"
