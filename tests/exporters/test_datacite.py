"""DataCite: the kinds and relations in DataCite's words, and nothing invented where nothing is known."""

from __future__ import annotations

import json

import pytest

from headwater.exporters.datacite import GENERAL_TYPES, DataCite
from headwater.questions.description import Description, Link, Thing


def _said(description: Description) -> dict[str, object]:
    said = json.loads(DataCite().render(description))
    assert isinstance(said, dict)
    return said


def test_what_is_mandatory_and_unknown_carries_the_standard_values(bare: Description) -> None:
    said = _said(bare)
    assert (said["doi"], said["publicationYear"]) == (":tba", ":tba")
    assert said["creators"] == [{"name": ":unkn"}]
    assert said["publisher"] == {"name": ":unkn"}
    assert "descriptions" not in said


def test_what_is_known_stands_where_datacite_looks_for_it(full: Description) -> None:
    said = _said(full)
    assert (said["doi"], said["publicationYear"], said["version"]) == ("10.1234/abc", 2025, "2")
    assert said["types"] == {"resourceTypeGeneral": "Model", "resourceType": "model"}
    assert said["creators"] == [
        {
            "name": "Josiah Carberry",
            "nameType": "Personal",
            "nameIdentifiers": [{"nameIdentifier": "https://orcid.org/0000-0002-1825-0097", "nameIdentifierScheme": "ORCID"}],
        }
    ]
    assert {"alternateIdentifier": "mlflow:0a1b", "alternateIdentifierType": "mlflow"} in said["alternateIdentifiers"]  # type: ignore[operator]


def test_links_become_relations_in_the_right_direction(full: Description) -> None:
    related = {(one["relatedIdentifier"].rpartition("/id/")[2], one["relationType"]) for one in _said(full)["relatedIdentifiers"]}  # type: ignore[attr-defined]
    assert related == {
        ("run/r1", "IsDerivedFrom"),
        ("dataset/d1", "IsDerivedFrom"),
        ("dataset/t1", "References"),
        ("software/sklearn", "Requires"),
        ("publication/paper", "IsDocumentedBy"),
        ("deployment/app", "IsRequiredBy"),
        ("model/m1", "IsNewVersionOf"),
        ("model/m", "IsVersionOf"),
        ("project/p", "IsPartOf"),
    }


def test_a_paper_cites_and_is_not_derived_from_what_it_cites() -> None:
    data = Thing("https://doi.org/10.5281/zenodo.1", "dataset", "digits", "dataset/x")
    paper = Description(Thing("https://doi.org/10.1/p", "publication", "p", "publication/p"), "public")
    paper.up.append(Link(data, "https://w3id.org/headwater/terms#cites", "cites", "cite", "declared", "r"))
    assert _said(paper)["relatedIdentifiers"] == [
        {
            "relatedIdentifier": "10.5281/zenodo.1",
            "relatedIdentifierType": "DOI",
            "relationType": "Cites",
            "resourceTypeGeneral": "Dataset",
        }
    ]


def test_people_and_local_names_are_no_related_resources(bare: Description) -> None:
    bare.up.append(
        Link(Thing("https://orcid.org/1", "agent", "Ada", "agent/a"), "prov:wasAssociatedWith", "", None, "declared", "r")
    )
    bare.up.append(Link(Thing("mlflow:1", "run", "r", "run/r"), "prov:wasGeneratedBy", "", None, "declared", "r"))
    assert _said(bare)["relatedIdentifiers"] == []


@pytest.mark.parametrize("kind", sorted(GENERAL_TYPES))
def test_every_kind_has_a_general_type_of_schema_4_6(kind: str) -> None:
    known = {"Dataset", "Event", "Instrument", "Model", "Project", "Service", "Software", "Text", "Workflow"}
    said = _said(Description(Thing("urn:x", kind, "x", f"{kind}/x"), "public"))
    assert said["types"]["resourceTypeGeneral"] in known  # type: ignore[index]
