"""Every answer tells how far it goes, and a request may name what it has to go to."""

from __future__ import annotations

import pytest

from headwater.app import Headwater

from .conftest import Client

ASK = "/sparql?query=ASK%20%7B%20%3Curn%3Aat%3As%3E%20%3Fp%20%3Fo%20%7D"


def test_an_answer_to_a_write_names_it_and_what_is_asked_with_that_number_knows_it(writable: Headwater) -> None:
    client = Client(writable)
    assert client.get("/api/v1/objects").headers["Headwater-Sequence"] == "0"
    wrote = client.post("/api/v1/records", "<urn:at:s> <urn:at:p> 'o' .", "text/turtle")
    assert (wrote.status_code, wrote.headers["Headwater-Sequence"]) == (201, "1")
    asked = client.get(ASK, headers={"Headwater-At-Least": "1"})
    assert (asked.status_code, asked.json()["boolean"]) == (200, True)
    assert client.get("/api/v1/objects", headers={"Headwater-At-Least": "0"}).headers["Headwater-Sequence"] == "1"


@pytest.mark.parametrize("said", ["soon", "-1", "1.5", "9" * 19])
def test_what_is_no_number_is_refused(lab: Client, said: str) -> None:
    assert lab.get("/api/v1/objects", headers={"Headwater-At-Least": said}).status_code == 422


def test_only_the_writer_answers_as_the_writer(lab: Client) -> None:
    assert lab.get("/health/writer").status_code == 200
    assert lab.get("/health/ready").json()["duty"] == {"role": "writer", "writing": True}
