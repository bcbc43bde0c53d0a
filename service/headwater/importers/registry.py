"""Which importers there are, ours and other people's, and which of them a source is for."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

from headwater.errors import UnknownFormat
from headwater.importers.protocol import Importer, Sniff, Source

GROUP = "headwater.importers"
"""The entry-point group; a package that names a class here has added a format."""


def formats() -> list[str]:
    """The names of all formats, sorted; nothing is loaded for it.

    >>> "mlflow" in formats()
    True
    """
    return sorted(_entries())


def importers() -> dict[str, Importer]:
    """All importers by name. Raises `UnknownFormat` where one cannot be loaded, and says which."""
    return {name: _load(entry) for name, entry in sorted(_entries().items())}


def choose(source: Source, format: str = "auto", known: Iterable[Importer] | None = None) -> Importer:
    """The importer for a source: the one named by `format`, or with `auto` the one that is surest that the source is its own.

    `known` are the importers to choose from; by default all that are installed. Raises `UnknownFormat` where none has that
    name, where none recognises the source, and where the surest are equally sure; the message lists the candidates with their
    confidence (0 to 1) and reason.

    >>> from pathlib import Path
    >>> choose(Source(Path("run.xyz"), "run.xyz", 10), "xyz", known=[])
    Traceback (most recent call last):
    ...
    headwater.errors.UnknownFormat: there is no format 'xyz'; known are: none
    """
    if format != "auto":
        return _named(format, known)
    there = importers() if known is None else {importer.name: importer for importer in known}
    found = [(sniff, importer) for importer in there.values() if (sniff := importer.sniff(source)) is not None]
    if not found:
        names = sorted(there)
        raise UnknownFormat(
            f"no importer recognises {source.name}; known formats are: {', '.join(names)}", formats=names, candidates=[]
        )
    found.sort(key=lambda pair: (-pair[0].confidence, pair[1].name))
    best = found[0][0].confidence
    if sum(sniff.confidence == best for sniff, _ in found) > 1:
        lines = "; ".join(f"{importer.name} ({sniff.confidence:.2f}: {sniff.reason})" for sniff, importer in found)
        raise UnknownFormat(f"several importers are equally sure of {source.name}: {lines}", candidates=_candidates(found))
    return found[0][1]


def _named(format: str, known: Iterable[Importer] | None) -> Importer:
    if known is None:
        if format in formats():
            return _load(_entries()[format])  # only this one: a broken plug-in for another format is in nobody's way
        names = formats()
    else:
        there = {importer.name: importer for importer in known}
        if format in there:
            return there[format]
        names = sorted(there)
    raise UnknownFormat(
        f"there is no format {format!r}; known are: {', '.join(names) or 'none'}", remedy="Name one of them, or 'auto'."
    )


def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _load(entry: EntryPoint) -> Importer:
    try:
        loaded: Importer = entry.load()()
    except (ImportError, AttributeError) as error:
        raise UnknownFormat(
            f"the importer {entry.name!r} ({entry.value}) cannot be loaded: {error}",
            remedy="Install the package that provides it anew, or remove it; a format named with --format needs no other.",
        ) from error
    return loaded


def _candidates(found: list[tuple[Sniff, Importer]]) -> list[dict[str, object]]:
    return [{"format": importer.name, "confidence": sniff.confidence, "reason": sniff.reason} for sniff, importer in found]
