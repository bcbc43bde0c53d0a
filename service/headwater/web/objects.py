"""What is known of an object as JSON, as Signposting links and as schema.org, from one description."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from headwater.exporters.identifiers import doi
from headwater.exporters.registry import fitting
from headwater.questions.description import Description, Thing
from headwater.web.rendering import SAFE_PATH, address

_SCHEMA_TYPES = {
    "dataset": "Dataset",
    "model": "SoftwareApplication",
    "run": "Action",
    "workflow": "HowTo",
    "software": "SoftwareSourceCode",
    "environment": "SoftwareApplication",
    "publication": "ScholarlyArticle",
    "instrument": "Product",
    "project": "ResearchProject",
    "agent": "Thing",
    "deployment": "WebApplication",
}


def brief(thing: Thing) -> dict[str, Any]:
    """A thing in a list."""
    return {"id": thing.iri, "kind": thing.kind, "label": thing.label, "path": thing.path, "_links": links(thing)}


def links(thing: Thing) -> dict[str, str]:
    """Where to go from a thing: its page, its data, its picture and the questions about it."""
    tail = quote(thing.path, safe=SAFE_PATH)
    found = quote(thing.iri, safe="")
    return {
        "self": f"/api/v1/objects/{found}",
        "page": address(thing),
        "graph": f"/graph/{tail}.svg",
        "badge": f"/badge/{tail}.svg",
        "lineage": f"/api/v1/lineage?id={found}",
        "impact": f"/api/v1/impact?id={found}",
        "benefits": f"/api/v1/benefits?id={found}",
    }


def as_json(description: Description) -> dict[str, Any]:
    """All that the description holds, but for its triples (these are what the RDF formats are for)."""
    said = asdict(description)
    del said["triples"], said["thing"]
    for measure in said["measures"]:
        if not math.isfinite(measure["value"]):
            measure["value"] = str(measure["value"])
    thing = description.thing
    formats = {found.name: f"/api/v1/objects/{quote(thing.iri, safe='')}?format={found.name}" for found in fitting(thing.kind)}
    return {**brief(thing), **said, "_exports": formats}


def signposts(description: Description) -> str:
    """The `Link` header of a landing page (FAIR Signposting, level 1): what to cite, what describes it, of what type it is."""
    thing = description.thing
    made: list[tuple[str, str, str | None]] = []
    found = doi([thing.iri, *description.identifiers])
    cite = f"https://doi.org/{quote(found, safe='/:;()._-')}" if found else thing.iri
    if cite.startswith(("http://", "https://")):
        made.append((cite, "cite-as", None))
    data = f"/api/v1/objects/{quote(thing.iri, safe='')}"
    made.append((data, "describedby", "application/json"))
    for exporter in fitting(thing.kind):
        made.append((f"{data}?format={exporter.name}", "describedby", exporter.media_type))
    made.append((f"https://schema.org/{_SCHEMA_TYPES.get(thing.kind, 'Thing')}", "type", None))
    made.append(("https://schema.org/AboutPage", "type", None))
    made += [(creator.iri, "author", None) for creator in description.creators[:20]]
    if description.licence:
        made.append((description.licence, "license", None))
    made.append((f"/graph/{quote(thing.path, safe=SAFE_PATH)}.svg", "item", "image/svg+xml"))
    parts = []
    for target, relation, media_type in made:
        if not target.startswith(("/", "http://", "https://")):
            continue
        clean = quote(target, safe=":/?#[]@!$&'()*+,;=%~._-")
        parts.append(f'<{clean}>; rel="{relation}"' + (f'; type="{media_type}"' if media_type else ""))
    return ", ".join(parts)


def schema_org(description: Description) -> dict[str, Any]:
    """The object in schema.org's words, for search engines; only what is known."""
    thing = description.thing
    said: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": _SCHEMA_TYPES.get(thing.kind, "Thing"),
        "@id": thing.iri,
        "name": thing.label,
    }
    known = {
        "description": description.text,
        "version": description.version,
        "license": description.licence,
        "datePublished": description.issued,
        "startTime": description.started if thing.kind == "run" else None,
        "endTime": description.ended if thing.kind == "run" else None,
        "identifier": description.identifiers,
        "creator": [{"@id": creator.iri, "name": creator.label} for creator in description.creators],
        "isBasedOn": [{"@id": link.thing.iri} for link in description.up[:50] if link.thing.kind != "agent"],
        "isPartOf": [{"@id": project.iri, "name": project.label} for project in description.projects],
    }
    said.update({key: value for key, value in known.items() if value})
    return said
