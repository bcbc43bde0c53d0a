"""The service as a whole: health, the OpenAPI document, the reference page, and errors that give nothing away."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from headwater.app import Headwater
from headwater.web import create_app
from tests.web.conftest import Client


def test_health_is_told(lab: Client) -> None:
    assert lab.get("/health/live").json() == {"status": "alive"}
    ready = lab.get("/health/ready").json()
    assert ready["status"] == "ready"
    assert ready["sequence"] >= 1


def test_the_openapi_document_is_whole(laboratory: Headwater) -> None:
    document = create_app(laboratory).openapi()
    assert document["openapi"].startswith("3.1")
    operations = [(path, method, one) for path, methods in document["paths"].items() for method, one in methods.items()]
    assert {path for path, _, _ in operations} >= {
        "/sparql",
        "/api/v1/records",
        "/api/v1/records/{id}",
        "/api/v1/records/{id}/history",
        "/api/v1/validate",
        "/api/v1/objects",
        "/api/v1/objects/{id}",
        "/api/v1/lineage",
        "/api/v1/impact",
        "/api/v1/benefits",
        "/graph/{kind}/{key}.{suffix}",
        "/badge/{kind}/{key}.svg",
        "/health/live",
        "/health/ready",
    }
    tags = {tag["name"] for tag in document["tags"]}
    names = [one["operationId"] for _, _, one in operations]
    assert len(names) == len(set(names))
    for path, method, one in operations:
        assert one["summary"], (path, method)
        assert one.get("description"), (path, method)
        assert set(one["tags"]) <= tags
        for parameter in one.get("parameters", []):
            assert parameter["in"] in ("query", "path")
            told = parameter.get("description") or parameter.get("schema", {}).get("description")
            assert told or parameter["in"] == "path", (path, parameter["name"])
        for status, answer in one["responses"].items():
            assert answer["description"], (path, status)
            if status >= "400":
                assert "application/problem+json" in answer["content"], (path, status)
        assert {"401", "404", "429", "503"} <= set(one["responses"]), (path, method)
        for content in one.get("requestBody", {}).get("content", {}).values():
            assert content.get("schema") is not None or path in ("/api/v1/records", "/api/v1/validate", "/sparql/store")
    for reference in re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(document)):
        assert reference in document["components"]["schemas"]


def test_traversal_parameters_have_one_spelling(laboratory: Headwater) -> None:
    paths = create_app(laboratory).openapi()["paths"]

    def names(path: str) -> set[str]:
        return {parameter["name"] for parameter in paths[path]["get"]["parameters"]}

    walk = {
        "id",
        "direction",
        "depth",
        "types",
        "roles",
        "stop_at",
        "ignore_as_hops",
        "as_of",
        "known_at",
        "min_evidence",
        "max_nodes",
    }
    walk |= {"fields", "include", "format"}
    assert names("/api/v1/lineage") == names("/api/v1/benefits") == walk
    assert names("/api/v1/impact") == walk | {"change", "slice"}


def test_the_reference_page_shows_every_address(lab: Client, laboratory: Headwater) -> None:
    text = lab.get("/docs").text
    for path in create_app(laboratory).openapi()["paths"]:
        assert f"<code>{path}</code>" in text


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
def test_fastapis_own_pages_with_scripts_from_elsewhere_are_off(lab: Client, path: str) -> None:
    text = lab.get(path).text
    assert "jsdelivr" not in text
    assert "cdn" not in text.lower()
    assert lab.get("/redoc").status_code == 404


def test_an_unexpected_error_shows_no_internals_but_logs_them(
    laboratory: Headwater, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("the secret number is 42")

    monkeypatch.setattr(laboratory, "counts", broken)
    for path in ("/", "/search"):
        answer = Client(laboratory).get(path, accept="text/html")
        assert answer.status_code == 500
        assert "secret number" not in answer.text
        assert "ZeroDivisionError" not in answer.text
    assert "the secret number is 42" in caplog.text
    reference = re.search(r"urn:uuid:[0-9a-f-]{36}", answer.text)
    assert reference is not None
    assert reference[0] in caplog.text


def test_errors_come_as_a_page_to_people_and_as_a_problem_to_programs(lab: Client) -> None:
    page = lab.get("/object/dataset/none", accept="text/html")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    problem = lab.get("/object/dataset/none", accept="*/*")
    assert problem.headers["content-type"] == "application/problem+json"
    assert set(problem.json()) >= {"type", "title", "status", "detail", "remedy", "instance"}


def test_a_method_that_an_address_does_not_take_is_said_with_those_that_it_does(lab: Client) -> None:
    answer = lab.request("DELETE", "/api/v1/lineage")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert answer.json()["status"] == 405
