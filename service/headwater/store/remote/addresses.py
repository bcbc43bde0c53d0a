"""Where a SPARQL server listens: one address is often enough, since most servers lay their others out beside it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from headwater.errors import BadParameter

_SCHEMES = {"sparql+http": "http", "sparql+https": "https"}


@dataclass(frozen=True, slots=True)
class Addresses:
    """What the settings say: `query` (perhaps only where the server is), `update` (empty: to be found), user and password."""

    query: str
    update: str = ""
    user: str = ""
    password: str = ""

    @classmethod
    def of(cls, store: str, *, update: str = "", user: str = "", password: str = "") -> Addresses:
        """From the setting `store`, `sparql+http://…` or `sparql+https://…`. Raises `BadParameter` for what is no such address.

        >>> Addresses.of("sparql+http://127.0.0.1:7878/query").query
        'http://127.0.0.1:7878/query'
        >>> Addresses.of("sparql+ftp://x")
        Traceback (most recent call last):
        ...
        headwater.errors.BadParameter: store: begins with neither sparql+http:// nor sparql+https://
        """
        scheme, _, rest = store.partition("://")
        if scheme not in _SCHEMES:
            raise BadParameter("store: begins with neither sparql+http:// nor sparql+https://", parameter="store")
        for name, address in (("store", f"{_SCHEMES[scheme]}://{rest}"), ("store_update", update)):
            if address:
                _checked(name, address)
        return cls(f"{_SCHEMES[scheme]}://{rest}", update, user, password)

    def __repr__(self) -> str:
        return f"Addresses({self.query!r}, {self.update!r})"

    def queries(self) -> list[str]:
        """The addresses at which queries may be answered, the likeliest first.

        >>> Addresses("http://host:3030/ds").queries()
        ['http://host:3030/ds', 'http://host:3030/ds/query', 'http://host:3030/ds/sparql']
        """
        base = self.query.rstrip("/")
        return list(dict.fromkeys([self.query, f"{base}/query", f"{base}/sparql"]))

    def updates(self, query: str) -> list[str]:
        """The addresses at which updates may be taken by a server that answers queries at `query`.

        >>> Addresses("").updates("http://host:3030/ds/sparql")[0]
        'http://host:3030/ds/update'
        """
        if self.update:
            return [self.update]
        base = query.rstrip("/")
        parent, _, last = base.rpartition("/")
        beside = [f"{parent}/update"] if last in ("query", "sparql") else []
        return list(dict.fromkeys([*beside, query, f"{base}/statements", f"{base}/update"]))


def _checked(name: str, address: str) -> SplitResult:
    parts = urlsplit(address)
    if parts.username is not None or parts.password is not None:
        # An address is shown in messages, and nobody must read a password there.
        raise BadParameter(
            f"{name}: an address holds no user and no password",
            parameter=name,
            remedy="Give them as HEADWATER_STORE_USER and HEADWATER_STORE_PASSWORD.",
        )
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise BadParameter(f"{name}: '{address}' is no address of a server", parameter=name)
    return parts
