"""`headwater token`: make, list and revoke the tokens with which people and programs speak to a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.opening import settings
from headwater.cli.options import Data, Json

if TYPE_CHECKING:
    from headwater.access import TokenBook

program = typer.Typer(no_args_is_help=True, help="Make, list and revoke tokens; a server that is running takes note at once.")

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Whom or what the token is for; it stands in the history of what is written.")
]


@contextmanager
def book_of(data: Path | None) -> Iterator[TokenBook]:
    """The tokens of a data folder. Only the ledger is opened, so that this works beside a running server."""
    from headwater.access import TokenBook
    from headwater.ledger.schema import open_engine, sqlite_address
    from headwater.ledger.tokens import TokenTable

    chosen = settings(data)
    if not chosen.ledger:
        chosen.data.mkdir(parents=True, exist_ok=True)
    engine = open_engine(chosen.ledger or sqlite_address(chosen.data))
    try:
        yield TokenBook(TokenTable(engine))
    finally:
        engine.dispose()


@program.command("create")
def create(
    name: Name,
    scope: Annotated[str, typer.Option("--scope", metavar="read|write|admin", help="What its holder may do.")] = "read",
    project: Annotated[
        list[str] | None,
        typer.Option("--project", metavar="NAME", help="A project whose records its holder sees; may be repeated."),
    ] = None,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Make a token and print it, this one time."""
    from headwater.cli.printing import note, show, show_json

    with book_of(data) as book:
        token = book.create(name, scope, project or ())
    if as_json:
        show_json({"token": token, "name": name, "scope": scope, "projects": sorted(set(project or ()))})
        return
    show([token])
    note("Keep it now: only its digest is stored. Send it as 'Authorization: Bearer TOKEN'.")


@program.command("list")
def list_tokens(as_json: Json = False, data: Data = None) -> None:
    """List the tokens that were made, without anything one could log in with."""
    from headwater.cli.printing import show, show_json, table

    with book_of(data) as book:
        tokens = book.list()
    if as_json:
        show_json(tokens)
    elif not tokens:
        show(["No token was made yet: a server on this machine takes writes from this machine only."])
    else:
        rows = [
            [
                entry["name"],
                entry["scope"],
                ", ".join(entry["projects"]),
                entry["created_at"][:19],
                (entry["revoked_at"] or "")[:19],
            ]
            for entry in tokens
        ]
        table(["name", "scope", "projects", "made", "revoked"], rows)


@program.command("revoke")
def revoke(name: Name, as_json: Json = False, data: Data = None) -> None:
    """Make a token useless from now on."""
    from headwater.cli.printing import show, show_json

    with book_of(data) as book:
        book.revoke(name)
    if as_json:
        show_json({"revoked": name})
    else:
        show([f"The token {name} no longer holds."])
