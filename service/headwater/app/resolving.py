"""Going to the places where things are stated to lie: is the file there, does the server still have it?

Nothing is downloaded: servers are asked by HEAD, and only local files are read, to compare their digest. Addresses come from
documents that strangers wrote. So only web addresses of public networks are asked, at the very address that was checked (a name
that leads to another the next time does not help), and a service looks into no folder that was not named to it.
"""

from __future__ import annotations

import hashlib
import http.client
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PureWindowsPath
from stat import S_ISREG
from urllib.parse import quote, unquote, urljoin, urlsplit

from headwater.app.reaching import Private, connect, hung_up_after, left
from headwater.checking.places import Address, Digest, Sighting
from headwater.settings import Settings

MOST_PLACES = 100
_AT_ONCE = 8
_REDIRECTS = 5
_ALGORITHMS = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}
_DIGEST = re.compile(r"([a-z0-9]+):([0-9a-f]+)", re.IGNORECASE)
_RESOLVERS = {"doi": "https://doi.org/", "hdl": "https://hdl.handle.net/"}
_SAFE = "/%?&=:@!$'()*+,;~-._[]"


class Resolver:
    """Looks at places. `folders` are those into which it may look; None for all that this process may read, as on a person's
    own command line.

    >>> Resolver(Settings(), folders=None)([Address("urn:d", "s3://bucket/data.csv")])[0].said()
    'Addresses of this kind are not looked up from here.'
    """

    def __init__(self, settings: Settings, folders: Sequence[Path] | None) -> None:
        self._timeout_s = settings.resolve_timeout_s
        self._private = settings.resolve_private
        self._folders = None if folders is None else [folder.resolve() for folder in folders]
        self._largest = settings.resolve_max_mb * 2**20

    def __call__(self, addresses: Sequence[Address]) -> list[Sighting]:
        """What is at each address, in their order; of more than `MOST_PLACES` the rest is not looked at."""
        near: dict[str, int] = {}
        for address in addresses:
            near[address.thing] = near.get(address.thing, 0) + (_path(address.text) is not None)
        with ThreadPoolExecutor(_AT_ONCE, "headwater-places") as pool:
            found = list(pool.map(lambda address: self._look(address, near[address.thing] == 1), addresses[:MOST_PLACES]))
        return found + [Sighting("not_checked", "too-many")] * (len(addresses) - len(found))

    def _look(self, address: Address, alone: bool) -> Sighting:
        text = address.text.strip()
        path = _path(text)
        if path is not None:
            return self._file(path, address.digests, alone)
        scheme, colon, rest = text.partition(":")
        if scheme.lower() in _RESOLVERS and colon:
            return self._web(_RESOLVERS[scheme.lower()] + quote(rest, safe=_SAFE))
        if scheme.lower() in ("http", "https"):
            return self._web(quote(text, safe=_SAFE + "#"))
        return Sighting("not_checked", "scheme" if colon else "no-path")

    # --- files

    def _file(self, path: Path, digests: frozenset[str], alone: bool) -> Sighting:
        try:
            real = path.resolve()
            if self._folders is not None and not any(real.is_relative_to(folder) for folder in self._folders):
                return Sighting("not_checked", "folder")
            status = real.stat()
        except PermissionError:
            return Sighting("not_checked", "permission")
        except (FileNotFoundError, NotADirectoryError):
            # A folder of which even the beginnings are missing is another machine's; /home and /data are on many.
            known = path.parent.exists() or any(above.exists() for above in list(path.parents)[:-2])
            return Sighting("gone", "no-such-file") if known else Sighting("not_checked", "elsewhere")
        except (OSError, RuntimeError, ValueError):
            return Sighting("not_checked", "no-path")
        if not S_ISREG(status.st_mode) or status.st_size > self._largest:
            return Sighting("resolvable", "there")
        try:
            digest = _compared(real, digests)
        except OSError:
            return Sighting("not_checked", "permission")
        # Of several files of one thing each may be a part, so that only a fit says anything.
        return Sighting("resolvable", "there", digest if alone or digest == "same" else "not_compared")

    # --- servers

    def _web(self, url: str) -> Sighting:
        until = time.monotonic() + self._timeout_s
        method = "HEAD"
        for _ in range(_REDIRECTS + 1):
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                return Sighting("not_checked", "redirects")
            if parts.username is not None or parts.password is not None:
                return Sighting("not_checked", "secret")
            try:
                status, onwards = self._asked(url, method, until)
                if status in (405, 501) and method == "HEAD":
                    method = "GET"  # some servers only know this; the answer is not read
                    status, onwards = self._asked(url, method, until)
            except Private:
                return Sighting("not_checked", "private")
            except (OSError, http.client.HTTPException, ValueError):
                return Sighting("not_checked", "no-answer")
            if 300 <= status < 400 and status != 304 and onwards:
                url = urljoin(url, quote(onwards, safe=_SAFE + "#"))
                continue
            return _meaning(status)
        return Sighting("not_checked", "redirects")

    def _asked(self, url: str, method: str, until: float) -> tuple[int, str | None]:
        parts = urlsplit(url)
        rest = left(until)
        connection = connect(parts.scheme, parts.hostname or "", parts.port, rest, private=self._private)
        with hung_up_after(connection, rest):
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {"User-Agent": "headwater", "Accept": "*/*", "Connection": "close"}
            connection.request(method, target, headers=headers | ({"Range": "bytes=0-0"} if method == "GET" else {}))
            answer = connection.getresponse()
            left(until)  # what was cut off in the middle of its headers is no answer
            return answer.status, answer.getheader("Location")


def _meaning(status: int) -> Sighting:
    if 200 <= status < 300 or status in (304, 416):
        return Sighting("resolvable", "there")
    if status in (404, 410):
        return Sighting("gone", "not-found")
    return Sighting("not_checked", "login" if status in (401, 402, 403, 407) else "answer")


def _path(text: str) -> Path | None:
    """The file that an address names on this machine; None for any other address."""
    parts = urlsplit(text) if text.lower().startswith("file:") else None
    if parts is not None:
        return Path(unquote(parts.path)) if parts.netloc in ("", "localhost") and parts.path.startswith("/") else None
    if text.startswith("/") and not text.startswith("//"):
        return Path(text)
    return Path(text) if PureWindowsPath(text).drive and Path(text).is_absolute() else None


def _compared(path: Path, digests: frozenset[str]) -> Digest:
    """How a file's content compares with digests; those of another kind, such as a tracker's own, compare with nothing."""
    known = [(found[1].lower(), found[2].lower()) for text in digests if (found := _DIGEST.fullmatch(text.strip()))]
    wanted = {(name, digest) for name, digest in known if len(digest) == _ALGORITHMS.get(name)}
    for name in sorted({name for name, _ in wanted}):
        if (name, _digest(path, name)) in wanted:
            return "same"
    return "differs" if wanted else "not_compared"


def _digest(path: Path, algorithm: str) -> str:
    made = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while piece := file.read(2**20):
            made.update(piece)
    return made.hexdigest()
