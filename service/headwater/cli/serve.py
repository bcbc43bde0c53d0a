"""`headwater serve`: pages, the REST interface and SPARQL over HTTP."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated

import typer

from headwater.access.loopback import is_loopback
from headwater.cli.opening import opened
from headwater.cli.options import Data

if TYPE_CHECKING:
    from headwater.app import Headwater

Host = Annotated[str | None, typer.Option("--host", metavar="ADDRESS", help="The address to listen on (default 127.0.0.1).")]
Port = Annotated[int | None, typer.Option("--port", metavar="N", help="The port to listen on (default 8321).")]


def serve(host: Host = None, port: Port = None, data: Data = None) -> None:
    """Serve pages, the REST interface and SPARQL until Ctrl-C."""
    with opened(data, create=True, host=host, port=port) as headwater:
        serve_opened(headwater, headwater.settings.host, headwater.settings.port)


def serve_opened(headwater: Headwater, host: str, port: int, *, pages: dict[str, str] | None = None) -> None:
    """Say where to look, and serve. Raises `Conflict` if the address cannot be had."""
    from headwater.cli.printing import note
    from headwater.web.server import listening, serve

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with listening(host, port):
        pass  # taken only to refuse before anything is promised; the server takes it again at once
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    note(f"Headwater serves {headwater.settings.data} at {address}")
    for path, words in (pages or {"": "home and search", "docs": "the REST interface", "sparql": "SPARQL"}).items():
        note(f"  {address}{path}  {words}")
    if not headwater.tokens.any():
        if is_loopback(host):
            note("No token was made: whoever works on this machine may write, until 'headwater token create' makes one.")
        else:
            note("No token was made: writes are refused until 'headwater token create NAME --scope write' has made one.")
    note("Ctrl-C ends it.")
    serve(headwater, host, port)
