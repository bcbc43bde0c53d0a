"""The parts that model cards and dataset cards share: links as tables, where it comes from, what is not known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from headwater.exporters.markdown import NOT_CAPTURED, link, paragraphs, plain, table
from headwater.questions.description import Description, Link, Thing


def heading(description: Description) -> str:
    """The title, the version and the identifiers."""
    thing = description.thing
    lines = [f"# {plain(thing.label)}", ""]
    lines.append(f"- Identifier: {link(thing.iri, thing.iri)}")
    lines += [f"- Also known as: {plain(text)}" for text in description.identifiers]
    lines += [f"- Digest: {plain(text)}" for text in description.digests]
    lines.append(f"- Version: {plain(description.version) if description.version else NOT_CAPTURED}")
    lines.append(f"- Licence: {_licence(description.licence)}")
    lines.append(f"- Creators: {things(description.creators)}")
    lines.append(f"- Issued: {plain(description.issued) if description.issued else NOT_CAPTURED}")
    return "\n".join(lines)


def section(title: str, *parts: str) -> str:
    return "\n\n".join([f"## {title}", *(part for part in parts if part)])


def purpose(description: Description) -> str:
    """What the object is for, in the words of its own description."""
    return paragraphs(description.text) if description.text else NOT_CAPTURED


def things(listed: Sequence[Thing]) -> str:
    return ", ".join(link(thing.label, thing.iri) for thing in listed) or NOT_CAPTURED


def links(listed: Iterable[Link]) -> str:
    """A table of links: what it was, in which role, how sure that is, and which record says so."""
    rows = [
        (plain(one.phrase), link(one.thing.label, one.thing.iri), one.thing.kind, plain(one.role or ""), plain(one.evidence))
        for one in listed
    ]
    return table(("Link", "Thing", "Kind", "Role", "Evidence"), rows)


def settings(description: Description) -> str:
    rows = [(plain(one.name), plain(one.value), link(one.run.label, one.run.iri)) for one in description.settings]
    return table(("Setting", "Value", "Run"), rows)


def measures(description: Description) -> str:
    """Metrics with the data set that each was measured on; a metric without one says so."""
    rows = [
        (
            plain(one.name),
            f"{one.value:.6g}",
            link(one.on.label, one.on.iri) if one.on else NOT_CAPTURED,
            link(one.run.label, one.run.iri),
        )
        for one in description.measures
    ]
    return table(("Metric", "Value", "Measured on", "Run"), rows)


def provenance(description: Description) -> str:
    """Versions, and the records that all of this rests on."""
    versions = [
        f"- Earlier versions: {things(description.earlier)}",
        f"- Later versions: {things(description.later)}",
        f"- Projects: {things(description.projects)}",
    ]
    rows = [
        (plain(one.title), plain(one.source), plain(one.importer), plain(one.written_at), plain(one.written_by))
        for one in description.records
    ]
    return "\n".join(versions) + "\n\n" + table(("Record", "Source", "Importer", "Written", "By"), rows)


def missing(description: Description, wanted: Sequence[tuple[str, object]]) -> str:
    """What a reader would expect and does not find, said plainly; `wanted` pairs a name with what is known of it."""
    gaps = [name for name, known in wanted if not known]
    said = "\n".join(f"- {name}: {NOT_CAPTURED}" for name in gaps)
    note = (
        f"This card says what the records about this {description.thing.kind} say, and nothing else. "
        "Limits of use that nobody recorded are not listed here."
    )
    return f"{note}\n\n{said}" if said else note


def _licence(licence: str | None) -> str:
    return link(licence, licence) if licence else NOT_CAPTURED
