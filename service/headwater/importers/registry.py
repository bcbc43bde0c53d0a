"""Which importers there are, ours and other people's, and which of them a source is for."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import entry_points

from headwater.errors import UnknownFormat
from headwater.importers.protocol import Importer, Sniff, Source

GROUP = "headwater.importers"
"""The entry-point group; a package that names a class here has added a format."""


def importers() -> dict[str, Importer]:
    """All importers by name, in the order of their names.

    >>> "mlflow" in importers()
    True
    """
    return {entry.name: entry.load()() for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)}


def choose(source: Source, format: str = "auto", known: Iterable[Importer] | None = None) -> Importer:
    """The importer for a source: the one named by `format`, or with `auto` the one that is surest that the source is its own.

    Raises `UnknownFormat` where no importer has that name, where none recognises the source, and where the surest are equally
    sure; the message lists the candidates with confidence (0 to 1) and reason.
    """
    if format != "auto" and known is None:
        # Only the one that was asked for is loaded, so that a broken plug-in for another format is in nobody's way.
        for entry in entry_points(group=GROUP):
            if entry.name == format:
                loaded: Importer = entry.load()()
                return loaded
    there = {importer.name: importer for importer in known} if known is not None else importers()
    if format != "auto":
        if format in there:
            return there[format]
        raise UnknownFormat(
            f"there is no format {format!r}; known are: {', '.join(sorted(there))}",
            remedy="Name one of them, or 'auto'.",
            formats=sorted(there),
        )
    found = [(sniff, importer) for importer in there.values() if (sniff := importer.sniff(source)) is not None]
    if not found:
        raise UnknownFormat(
            f"no importer recognises {source.name}; known formats are: {', '.join(sorted(there))}",
            formats=sorted(there),
            candidates=[],
        )
    found.sort(key=lambda pair: (-pair[0].confidence, pair[1].name))
    best = found[0][0].confidence
    if sum(sniff.confidence == best for sniff, _ in found) > 1:
        lines = "; ".join(f"{importer.name} ({sniff.confidence:.2f}: {sniff.reason})" for sniff, importer in found)
        raise UnknownFormat(f"several importers are equally sure of {source.name}: {lines}", candidates=_candidates(found))
    return found[0][1]


def _candidates(found: list[tuple[Sniff, Importer]]) -> list[dict[str, object]]:
    return [{"format": importer.name, "confidence": sniff.confidence, "reason": sniff.reason} for sniff, importer in found]
