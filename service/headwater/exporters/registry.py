"""Which formats an object can be written in: ours and those that other packages bring along."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from headwater.errors import HeadwaterError, NotAcceptable
from headwater.exporters.protocol import Exporter


@cache
def exporters() -> dict[str, Exporter]:
    """All exporters by name, from the entry points `headwater.exporters`; an entry point names a class or a ready object.

    >>> sorted(exporters())[:4]
    ['datacite', 'dataset-card', 'jsonld', 'model-card']
    """
    found: dict[str, Exporter] = {}
    for entry in sorted(entry_points(group="headwater.exporters"), key=lambda entry: entry.name):
        try:
            loaded = entry.load()
        except Exception as error:
            raise HeadwaterError(
                f"the exporter {entry.name} ({entry.value}) cannot be loaded: {error}",
                remedy="Repair or uninstall the package that brings it.",
            ) from error
        found[entry.name] = loaded() if isinstance(loaded, type) else loaded
    return found


def exporter(name: str) -> Exporter:
    """The exporter called `name`; `NotAcceptable` with the list of names if there is none.

    >>> exporter("turtle").media_type
    'text/turtle'
    """
    known = exporters()
    if name not in known:
        raise NotAcceptable(
            f"there is no export format '{name}'", formats=sorted(known), remedy=f"Use one of: {', '.join(sorted(known))}."
        )
    return known[name]


def fitting(kind: str) -> list[Exporter]:
    """The exporters that fit objects of `kind`, in a fixed order.

    >>> [e.name for e in fitting("model") if e.kinds]
    ['datacite', 'model-card']
    """
    return [found for found in exporters().values() if found.kinds is None or kind in found.kinds]
