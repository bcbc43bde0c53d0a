"""Texts that make a careless pattern try forever, while it holds the interpreter and with it the whole service."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from headwater.importers.protocol import Source
from headwater.importers.prov_n import ProvNImporter
from headwater.web.routes.sparql import form_of


def _sniffed(path: Path) -> Callable[[str], object]:
    def sniff(text: str) -> object:
        path.write_text(text, encoding="utf-8")
        return ProvNImporter().sniff(Source(path, "upload", 2**20, None, ""))

    return sniff


@pytest.mark.parametrize("unit", [" ", "\n", "#", "#\n", " #", "/**/", "//\n", "/* */ ", "BASE<a>", "PREFIX a:<a> "])
def test_what_comes_before_a_document_is_read_once(tmp_path: Path, unit: str) -> None:
    began = time.process_time()
    assert not form_of(unit * 2000 + "x")
    assert _sniffed(tmp_path / "upload")(unit * 500 + "x") is None
    assert time.process_time() - began < 5  # it took years, so that no slow machine comes near


def test_a_document_behind_comments_is_still_recognised(tmp_path: Path) -> None:
    assert _sniffed(tmp_path / "upload")("/* of /* mine */ // more\n document \n") is not None
    assert form_of("# mine\n PREFIX#\na#\n:<urn:a> DESCRIBE a:b") == "DESCRIBE"
