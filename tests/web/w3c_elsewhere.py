"""The other servers that the W3C's tests of federation ask: one server on this machine that answers by every name."""

from __future__ import annotations

import http.client
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pyoxigraph import QueryResultsFormat, QuerySolutions, Store

ENDPOINTS = tuple(f"http://{name}/sparql" for name in ("example.org", "example1.org", "example2.org", "invalid.endpoint.org"))
SYNTAX = "http://suite.example/"
"""What relative addresses in tests of syntax are made absolute by."""


class Elsewhere:
    """What is to be found there: a store for each host; where there is none, the host is not found."""

    def __init__(self) -> None:
        self.stores: dict[str, Store] = {}
        self.port = 0

    def connect(self, scheme: str, host: str, port: int | None, timeout: float) -> http.client.HTTPConnection:
        del scheme, port
        if host not in self.stores:
            raise OSError(f"{host} is not known")
        return _Here(host, self.port, timeout=timeout)


class _Here(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.create_connection(("127.0.0.1", self.port), self.timeout)


@contextmanager
def elsewhere() -> Iterator[Elsewhere]:
    web = Elsewhere()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            # A SERVICE within is this endpoint's to ask, and nothing must leave this machine.
            text = re.sub(r"<http://([^/<>]+)/sparql>", rf"<http://127.0.0.1:{web.port}/\1>", text)
            host = self.path[1:] if self.path != "/sparql" else self.headers["Host"].partition(":")[0]
            if host not in web.stores:
                self.send_error(404)
                return
            found = web.stores[host].query(text)
            assert isinstance(found, QuerySolutions)
            body = found.serialize(format=QueryResultsFormat.JSON)
            assert body is not None
            self.send_response(200)
            self.send_header("Content-Type", "application/sparql-results+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        web.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield web
        server.shutdown()
        thread.join()
