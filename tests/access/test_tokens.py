"""Tokens and readers: who gets in, what they see, and that nothing secret is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.access import LOCAL, Reader, TokenBook, who
from headwater.access.levels import level
from headwater.errors import BadParameter, NotFound, Unauthorised
from headwater.ledger.schema import open_engine, sqlite_address
from headwater.ledger.tokens import TokenTable


@pytest.fixture
def book(tmp_path: Path) -> TokenBook:
    return TokenBook(TokenTable(open_engine(sqlite_address(tmp_path))))


def test_a_token_speaks_for_the_reader_it_was_made_for(book: TokenBook) -> None:
    token = book.create("ada", "write", ["beamline-7"])
    assert token.startswith("hw_")
    assert len(token) == 46
    assert book.find(token) == Reader("ada", "write", frozenset({"beamline-7"}))


def test_an_admin_token_sees_every_project_without_naming_one(book: TokenBook) -> None:
    assert book.find(book.create("root", "admin")).sees("project:anything")


def test_a_token_is_kept_nowhere_but_as_a_digest(book: TokenBook, tmp_path: Path) -> None:
    token = book.create("ada", "read")
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"ada" in written
    assert token.encode() not in written
    assert token.removeprefix("hw_").encode() not in written
    assert not any("digest" in entry or token in str(entry) for entry in book.list())


def test_a_revoked_token_no_longer_holds_and_its_name_stays_taken(book: TokenBook) -> None:
    token = book.create("ada", "read")
    book.revoke("ada")
    with pytest.raises(Unauthorised):
        book.find(token)
    with pytest.raises(BadParameter, match="already a token"):
        book.create("ada", "read")
    with pytest.raises(NotFound):
        book.revoke("ada")
    assert book.list()[0]["revoked_at"]


@pytest.mark.parametrize("token", ["", "hw_", "hw_guess", "Bearer x", "\ud800", "x" * 100_000])
def test_a_guess_is_turned_away(book: TokenBook, token: str) -> None:
    book.create("ada", "read")
    with pytest.raises(Unauthorised):
        book.find(token)


@pytest.mark.parametrize("name", ["", " ada", "a" * 65, "a\nb", "<b>", "\x1b[1m"])
def test_a_name_that_could_confuse_a_list_is_refused(book: TokenBook, name: str) -> None:
    with pytest.raises(BadParameter):
        book.create(name, "read")


def test_unknown_scopes_and_projects_are_refused(book: TokenBook) -> None:
    for scope in ("none", "root", ""):
        with pytest.raises(BadParameter, match="no scope"):
            book.create("ada", scope)
    with pytest.raises(BadParameter, match="project"):
        book.create("ada", "read", ["two words"])
    assert not book.any()


def test_without_any_token_only_this_machine_may_write(book: TokenBook) -> None:
    assert who(None, True, book) is LOCAL
    assert not who(None, False, book).may("write")


def test_once_a_token_was_made_this_machine_needs_one_too_even_after_its_revocation(book: TokenBook) -> None:
    book.create("ada", "write")
    assert who(None, True, book).scope == "none"
    book.revoke("ada")
    assert who(None, True, book).scope == "none"


def test_a_wrong_token_is_no_anonymous_reader(book: TokenBook) -> None:
    with pytest.raises(Unauthorised):
        who("hw_wrong", True, book)


def test_scopes_include_those_below() -> None:
    writer = Reader("w", "write", frozenset())
    assert writer.may("read")
    assert writer.may("write")
    assert not writer.may("admin")
    assert LOCAL.may("admin")
    assert LOCAL.sees("project:x")
    assert LOCAL.sees("internal")


@pytest.mark.parametrize("text", ["", "Public", "project:", "project:a b", "project:../x", "internal ", "project:" + "a" * 65])
def test_only_the_three_words_are_levels(text: str) -> None:
    with pytest.raises(BadParameter):
        level(text)
