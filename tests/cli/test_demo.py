"""`headwater demo`: both answers, twice the same, with what people would say about the lab."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

Headwater = Callable[..., Any]


def test_the_demo_answers_both_questions_and_runs_again_quickly(headwater: Headwater) -> None:
    first = headwater("demo", "--no-serve")
    assert first.code == 0
    assert "AFFECTED" in first.out
    assert "MENDED SINCE" in first.out
    assert "accuracy rose by 0.0" in first.out
    assert "95 % interval" in first.out
    assert "The data lie in headwater-data;" in first.out
    again = headwater("demo", "--no-serve")
    assert again.out == first.out


def test_the_demo_for_scripts(headwater: Headwater) -> None:
    found = headwater("demo", "--no-serve", "--json", "--data", "mine").json
    assert found["data"] == "mine"
    assert Path("mine", "ledger.sqlite").is_file()
    assert {answer["query"]["ask"] for answer in found["answers"]} == {"impact", "benefits"}


def test_a_taken_port_is_said_before_anything_else(headwater: Headwater) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = headwater("demo", "--port", taken.getsockname()[1])
    assert (ended.code, ended.out) == (1, "")
    assert "--port" in ended.err
