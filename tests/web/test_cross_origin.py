"""Pages of other origins: they may read as strangers if the settings name them, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater.app import Headwater
from headwater.settings import Settings
from tests.web.conftest import BASE, PREFIXES, SECRET, Client, load

_PAGE = "https://yasgui.example"
_QUERY = "SELECT ?l { ?s <http://www.w3.org/2000/01/rdf-schema#label> ?l }"


@pytest.fixture
def opened(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Client]:
    settings = Settings(data=tmp_path / "data", store="memory", base_iri=BASE, cors_origins=request.param)
    with Headwater.open(settings) as headwater:
        load(headwater, tmp_path / "secret.ttl", PREFIXES + SECRET, visibility="internal")
        yield Client(headwater)


def _allowed(client: Client, origin: str, path: str = "/sparql", method: str = "GET", **more: object) -> str | None:
    headers = {"origin": origin, **more.pop("headers", {})}  # type: ignore[dict-item]
    answer = client.request(method, path, headers=headers, params={"query": _QUERY}, **more)
    return answer.headers.get("access-control-allow-origin")


@pytest.mark.parametrize("opened", [()], indirect=True)
def test_without_the_setting_no_page_of_another_origin_reads_anything(opened: Client) -> None:
    assert _allowed(opened, _PAGE) is None
    preflight = opened.request("OPTIONS", "/sparql", headers={"origin": _PAGE, "access-control-request-method": "POST"})
    assert (preflight.status_code, preflight.headers.get("access-control-allow-origin")) == (204, None)


@pytest.mark.parametrize("opened", [(_PAGE,)], indirect=True)
def test_a_page_of_a_named_origin_may_ask_and_others_may_not(opened: Client) -> None:
    assert _allowed(opened, _PAGE) == _PAGE
    assert _allowed(opened, "https://evil.example") is None
    assert _allowed(opened, "https://yasgui.example.evil.example") is None
    assert _allowed(opened, "null") is None
    answer = opened.get(f"/sparql?query={_QUERY}", headers={"origin": _PAGE})
    assert "Origin" in answer.headers["vary"]
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("opened", [("*",)], indirect=True)
def test_a_page_is_a_stranger_even_in_a_browser_on_this_machine(opened: Client) -> None:
    assert "embargoed" in opened.get("/sparql", params={"query": _QUERY}).text
    answer = opened.get("/sparql", params={"query": _QUERY}, headers={"origin": _PAGE})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["results"]["bindings"] == []
    assert "Headwater-Sequence" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("opened", [("*",)], indirect=True)
def test_only_reading_is_open_and_a_token_cannot_be_sent_along(opened: Client) -> None:
    asked = {"origin": _PAGE, "access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    preflight = opened.request("OPTIONS", "/sparql", headers=asked)
    assert preflight.status_code == 204
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "authorization" not in preflight.headers["access-control-allow-headers"].lower()
    store = opened.request("OPTIONS", "/sparql/store", headers=asked)
    assert store.headers["access-control-allow-methods"] == "GET, HEAD"
    update = opened.request("OPTIONS", "/sparql/update", headers=asked)
    assert "access-control-allow-origin" not in update.headers
    for path in ("/api/v1/objects", "/", "/sparql/update"):
        assert _allowed(opened, _PAGE, path) is None
    assert (
        _allowed(opened, _PAGE, "/sparql/store", "PUT", content="<urn:a> <urn:b> 1 .", headers={"content-type": "text/turtle"})
        is None
    )
    # What goes wrong is shown to the page as well, or it could not tell its visitor.
    wrong = opened.get("/sparql?query=nonsense", headers={"origin": _PAGE})
    assert (wrong.status_code, wrong.headers["access-control-allow-origin"]) == (400, "*")


@pytest.mark.parametrize("opened", [()], indirect=True)
def test_the_methods_are_told_to_whoever_asks(opened: Client) -> None:
    assert opened.request("OPTIONS", "/sparql").headers["allow"] == "GET, HEAD, POST, QUERY, OPTIONS"
