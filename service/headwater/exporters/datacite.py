"""An object as DataCite metadata (schema 4.6, the attributes of DataCite's REST API), ready to be completed and registered.

What the schema demands but nobody recorded carries DataCite's standard values for unknown information (its Appendix 3):
`:unkn` for what is not known, `:tba` for what is assigned at registration. Nothing is invented to make a record look complete.
"""

from __future__ import annotations

import json
import re
from typing import Any

from headwater.exporters.identifiers import doi, typed
from headwater.questions.description import Description, Link, Thing

GENERAL_TYPES = {
    "dataset": "Dataset",
    "model": "Model",
    "run": "Event",
    "workflow": "Workflow",
    "software": "Software",
    "environment": "Software",
    "publication": "Text",
    "instrument": "Instrument",
    "project": "Project",
    "deployment": "Service",
}
"""`resourceTypeGeneral` per kind. A run is an Event: an occurrence in time."""

_RELATIONS = {
    "wasDerivedFrom": ("IsDerivedFrom", "IsSourceOf"),
    "wasRevisionOf": ("IsNewVersionOf", "IsPreviousVersionOf"),
    "specializationOf": ("IsVersionOf", "HasVersion"),
    "wasGeneratedBy": ("IsDerivedFrom", "IsSourceOf"),
    "documents": ("Documents", "IsDocumentedBy"),
    "cites": ("Cites", "IsCitedBy"),
    "deploys": ("Requires", "IsRequiredBy"),
    "controls": ("References", "IsReferencedBy"),
    "isPartOf": ("IsPartOf", "HasPart"),
}
"""`relationType` per relation, as read from the downstream end and from the upstream end."""
_ROLES = {
    "cite": ("Cites", "IsCitedBy"),
    "document": ("Documents", "IsDocumentedBy"),
    "execute": ("Requires", "IsRequiredBy"),
    "configure": ("Requires", "IsRequiredBy"),
    "deploy": ("Requires", "IsRequiredBy"),
    # Test and validation data do not enter what is described: it is no derivation of them.
    "test": ("References", "IsReferencedBy"),
    "validate": ("References", "IsReferencedBy"),
}


class DataCite:
    """DataCite 4.6 as JSON. Agents are no resources in DataCite's sense and have no such record."""

    name = "datacite"
    title = "DataCite 4.6 (JSON)"
    media_type = "application/vnd.datacite.datacite+json"
    extension = "datacite.json"
    kinds: frozenset[str] | None = frozenset(GENERAL_TYPES)

    def render(self, description: Description) -> bytes:
        """The attributes as one JSON object.

        >>> thing = Thing("https://data.example/id/dataset/d", "dataset", "digits", "dataset/d")
        >>> said = json.loads(DataCite().render(Description(thing, "public")))
        >>> said["types"]["resourceTypeGeneral"], said["creators"], said["doi"]
        ('Dataset', [{'name': ':unkn'}], ':tba')
        """
        return json.dumps(_attributes(description), ensure_ascii=False, indent=2).encode("utf-8", "replace") + b"\n"


def _attributes(description: Description) -> dict[str, Any]:
    thing = description.thing
    found = doi([thing.iri, *description.identifiers])
    said: dict[str, Any] = {
        "doi": found or ":tba",
        "creators": [_creator(creator) for creator in description.creators] or [{"name": ":unkn"}],
        "titles": [{"title": thing.label or ":unkn"}],
        "publisher": {"name": ":unkn"},
        "publicationYear": _year(description.issued) or ":tba",
        "types": {"resourceTypeGeneral": GENERAL_TYPES.get(thing.kind, "Other"), "resourceType": thing.kind},
        "alternateIdentifiers": [
            {"alternateIdentifier": text, "alternateIdentifierType": scheme}
            for text, scheme in _alternates(description)
            if typed(text) is None or doi([text]) != found
        ],
        "relatedIdentifiers": _related(description),
        "schemaVersion": "http://datacite.org/schema/kernel-4",
    }
    if thing.iri.startswith(("http://", "https://")):
        said["url"] = thing.iri
    if description.version:
        said["version"] = description.version
    if description.licence:
        right = {"rights": description.licence}
        if description.licence.startswith(("http://", "https://")):
            right["rightsUri"] = description.licence
        said["rightsList"] = [right]
    if description.text:
        said["descriptions"] = [{"description": description.text, "descriptionType": "Abstract"}]
    if dates := _dates(description):
        said["dates"] = dates
    return said


def _creator(creator: Thing) -> dict[str, Any]:
    said: dict[str, Any] = {"name": creator.label or ":unkn"}
    for host, scheme, name_type in (("orcid.org/", "ORCID", "Personal"), ("ror.org/", "ROR", "Organizational")):
        if host in creator.iri:
            said["nameType"] = name_type
            said["nameIdentifiers"] = [{"nameIdentifier": creator.iri, "nameIdentifierScheme": scheme}]
    return said


def _year(issued: str | None) -> int | None:
    found = re.match(r"\d{4}", issued or "")
    return int(found[0]) if found else None


def _dates(description: Description) -> list[dict[str, str]]:
    made = []
    if description.issued:
        made.append({"date": description.issued, "dateType": "Issued"})
    span = "/".join(moment or "" for moment in (description.started, description.ended))
    if span != "/":
        made.append(
            {"date": span if description.ended else description.started or "", "dateType": "Other", "dateInformation": "run"}
        )
    return made


def _alternates(description: Description) -> list[tuple[str, str]]:
    made = []
    for text in dict.fromkeys([*description.identifiers, *description.digests]):
        known = typed(text)
        scheme = known.type if known else text.partition(":")[0] if ":" in text else "local"
        made.append((text, scheme))
    return made


def _related(description: Description) -> list[dict[str, str]]:
    """The links as related identifiers. Only what has a globally unique identifier can be named to DataCite."""
    pairs: list[tuple[Thing, str]] = []
    pairs += [(link.thing, _relation(link, 0)) for link in description.up]
    pairs += [(link.thing, _relation(link, 1)) for link in description.down]
    pairs += [(thing, "IsNewVersionOf") for thing in description.earlier]
    pairs += [(thing, "IsPreviousVersionOf") for thing in description.later]
    pairs += [(thing, "IsVersionOf") for thing in description.concepts]
    pairs += [(thing, "IsPartOf") for thing in description.projects]
    made: dict[tuple[str, str], dict[str, str]] = {}
    for thing, relation in pairs:
        known = typed(thing.iri)
        if known is None or thing.kind == "agent" or thing.iri == description.thing.iri:
            continue
        said = {"relatedIdentifier": known.value, "relatedIdentifierType": known.type, "relationType": relation}
        if thing.kind in GENERAL_TYPES:
            said["resourceTypeGeneral"] = GENERAL_TYPES[thing.kind]
        made.setdefault((known.value, relation), said)
    return list(made.values())


def _relation(link: Link, end: int) -> str:
    name = link.relation.replace("#", "/").replace(":", "/").rpartition("/")[2]
    if name in _RELATIONS:
        return _RELATIONS[name][end]
    if link.role in _ROLES:
        return _ROLES[link.role][end]
    if link.thing.kind == "instrument" and end == 0:
        return "IsCollectedBy"
    if link.thing.kind in ("software", "environment", "workflow") and end == 0:
        return "Requires"
    return ("IsDerivedFrom", "IsSourceOf")[end]
