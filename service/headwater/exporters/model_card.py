"""A model card in Markdown with Hugging Face's YAML front matter, written from what the graph knows of a model."""

from __future__ import annotations

import math
from typing import Any

from headwater.exporters import card
from headwater.exporters.identifiers import doi
from headwater.exporters.markdown import front_matter, licence_fields
from headwater.questions.description import Description, Link

_DATA_ROLES = {"train", "finetune", "validate", "test", "pretrain", "preprocess", "label"}
_CODE_KINDS = {"software", "environment", "workflow"}
_HUB = "https://huggingface.co/"


class ModelCard:
    """A model card (Mitchell et al. 2019: intended use, data, training, metrics, limits), for the Hub and for reading."""

    name = "model-card"
    title = "Model card (Markdown)"
    media_type = "text/markdown"
    extension = "md"
    kinds: frozenset[str] | None = frozenset({"model"})

    def render(self, description: Description) -> bytes:
        """The card as UTF-8 Markdown; whatever is not known says so.

        >>> from headwater.questions.description import Thing
        >>> thing = Thing("https://data.example/id/model/m", "model", "tau id", "model/m")
        >>> "*Not captured*" in ModelCard().render(Description(thing, "public")).decode()
        True
        """
        data = [link for link in description.up if link.role in _DATA_ROLES or link.thing.kind == "dataset"]
        code = [link for link in description.up if link.thing.kind in _CODE_KINDS]
        rest = [link for link in description.up if link not in data and link not in code]
        gaps = card.missing(
            description,
            (
                ("Intended use", description.text),
                ("Training data", [link for link in data if link.role in ("train", "finetune", "pretrain")]),
                ("Test data", [link for link in data if link.role == "test"]),
                ("Metrics", description.measures),
                ("Licence", description.licence),
                ("Energy used in training", None),
                ("Known biases and risks", None),
            ),
        )
        parts = [
            front_matter(_fields(description, data)),
            card.heading(description),
            card.section("Purpose", card.purpose(description)),
            card.section("Data", card.links(data), "" if data else _elsewhere(description)),
            card.section("Training settings", card.settings(description)),
            card.section("Metrics", card.measures(description)),
            card.section("Environment and code", card.links(code)),
            card.section("Provenance", card.links(rest), card.provenance(description)),
            card.section("Who builds on it", card.links(description.down) if description.down else "Nothing recorded so far."),
            card.section("Limits", gaps),
        ]
        return ("\n\n".join(parts) + "\n").encode("utf-8", "replace")


def _elsewhere(description: Description) -> str:
    """Where the data of a model are named when no link of its own names them: at the run that made it."""
    runs = [link.thing for link in description.up if link.thing.kind == "run"]
    return f"The run that made it names its inputs: {card.things(runs)}." if runs else ""


def _fields(description: Description, data: list[Link]) -> dict[str, Any]:
    models = [link.thing.iri for link in description.up if link.thing.kind == "model"]
    return {
        **licence_fields(description.licence),
        "tags": ["headwater"],
        "datasets": _hub_names([link.thing.iri for link in data], "datasets/"),
        "base_model": _hub_names(models, ""),
        "metrics": list(dict.fromkeys(measure.name for measure in description.measures)),
        "doi": doi([description.thing.iri, *description.identifiers]),
        "model-index": _results(description),
    }


def _results(description: Description) -> list[dict[str, Any]]:
    """Metrics in the Hub's structure; only those whose data set is known, since the Hub demands one."""
    results = []
    for measure in description.measures:
        if measure.on is None or not math.isfinite(measure.value):
            continue
        results.append(
            {
                "task": {"type": "other"},
                "dataset": {"name": measure.on.label, "type": measure.on.path},
                "metrics": [{"type": measure.name, "value": measure.value}],
            }
        )
    return [{"name": description.thing.label, "results": results}] if results else []


def _hub_names(iris: list[str], folder: str) -> list[str]:
    names = []
    for iri in iris:
        name = iri.removeprefix(_HUB + folder)
        if name != iri and 1 <= name.count("/") + 1 <= 2 and (folder or not name.startswith(("datasets/", "spaces/"))):
            names.append(name)
    return list(dict.fromkeys(names))
