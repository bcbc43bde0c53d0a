"""A description to export: a model with everything known, and the same model with nothing known."""

from __future__ import annotations

import pytest
from pyoxigraph import Literal, NamedNode, Triple

from headwater.questions.description import Description, Link, Measure, RecordNote, Setting, Thing
from headwater.terms.names import HW, PROV, RDF, RDFS, XSD

BASE = "https://data.example/id/"


def thing(kind: str, key: str, label: str | None = None) -> Thing:
    return Thing(f"{BASE}{kind}/{key}", kind, label or key, f"{kind}/{key}")


def link(relation: str, target: Thing, role: str | None = None, phrase: str = "used") -> Link:
    return Link(target, relation, phrase, role, "observed", "https://data.example/record/1")


@pytest.fixture
def full() -> Description:
    model, run, digits = (
        thing("model", "m2", "digits-svm v2"),
        thing("run", "r1", "fit svm"),
        thing("dataset", "d1", "digits, first labels"),
    )
    test = thing("dataset", "t1", "held-out digits")
    node = NamedNode(model.iri)
    return Description(
        model,
        "public",
        identifiers=["doi:10.1234/abc", "mlflow:0a1b"],
        digests=["sha256:00ff"],
        version="2",
        text="Reads handwritten digits.\n\nNot for cheques.",
        licence="https://spdx.org/licenses/CC-BY-4.0.html",
        issued="2025-10-01",
        creators=[Thing("https://orcid.org/0000-0002-1825-0097", "agent", "Josiah Carberry", "agent/jc")],
        projects=[thing("project", "p")],
        up=[
            link("prov:wasGeneratedBy", run),
            link("prov:used", digits, "train", "was trained with"),
            link("prov:used", test, "test", "was tested on"),
            link("prov:used", thing("software", "sklearn"), "execute"),
        ],
        down=[
            link("hw:documents", thing("publication", "paper"), "document"),
            link("hw:deploys", thing("deployment", "app"), "deploy"),
        ],
        earlier=[thing("model", "m1")],
        concepts=[thing("model", "m")],
        settings=[Setting("C", "1.0", run)],
        measures=[Measure("accuracy", 0.9712, run, test), Measure("loss", float("nan"), run)],
        records=[
            RecordNote(
                "https://data.example/record/1", "fit svm", "mlruns/0/r1", "mlflow 1", "2025-10-01T12:00:00Z", "ada", "public"
            )
        ],
        triples=[
            Triple(node, RDF.type, HW.Model),
            Triple(node, RDFS.label, Literal("digits-svm v2", language="en")),
            Triple(node, PROV.wasGeneratedBy, NamedNode(run.iri)),
            Triple(node, HW.size, Literal("7", datatype=XSD.int)),
        ],
    )


@pytest.fixture
def bare() -> Description:
    return Description(thing("model", "m2", "digits-svm v2"), "public")
