"""A dataset card in Markdown with Hugging Face's YAML front matter, written from what the graph knows of a data set."""

from __future__ import annotations

from headwater.exporters import card
from headwater.exporters.identifiers import doi
from headwater.exporters.markdown import front_matter, licence_fields
from headwater.questions.description import Description


class DatasetCard:
    """A dataset card (after Gebru et al. 2018: purpose, making, uses, limits), for the Hugging Face Hub and for reading."""

    name = "dataset-card"
    title = "Dataset card (Markdown)"
    media_type = "text/markdown"
    extension = "md"
    kinds: frozenset[str] | None = frozenset({"dataset"})

    def render(self, description: Description) -> bytes:
        """The card as UTF-8 Markdown; whatever is not known says so.

        >>> from headwater.questions.description import Thing
        >>> thing = Thing("https://data.example/id/dataset/d", "dataset", "digits", "dataset/d")
        >>> DatasetCard().render(Description(thing, "public")).decode().splitlines()[:3]
        ['---', 'pretty_name: digits', 'tags:']
        """
        fields = {
            "pretty_name": " ".join(description.thing.label.split())[:200],
            **licence_fields(description.licence),
            "tags": ["headwater"],
            "doi": doi([description.thing.iri, *description.identifiers]),
        }
        gaps = card.missing(
            description,
            (
                ("Purpose", description.text),
                ("How it was made", description.up),
                ("Content digest", description.digests),
                ("Licence", description.licence),
                ("Consent and personal data", None),
                ("Known errors and biases", None),
            ),
        )
        parts = [
            front_matter(fields),
            card.heading(description),
            card.section("Purpose", card.purpose(description)),
            card.section("How it was made", card.links(description.up)),
            card.section("Settings of the run that made it", card.settings(description)),
            card.section("Measured on it", card.measures(description)),
            card.section(
                "Who uses it, and in which role", card.links(description.down) if description.down else "Nobody recorded so far."
            ),
            card.section("Provenance", card.provenance(description)),
            card.section("Limits", gaps),
        ]
        return ("\n\n".join(parts) + "\n").encode("utf-8", "replace")
