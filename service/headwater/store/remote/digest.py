"""Answers a server's question for user and password: HTTP basic (RFC 7617) and digest authentication (RFC 7616)."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from urllib.request import parse_http_list, parse_keqv_list

_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


class Credentials:
    """A user and a password, and how the server last asked for them. Safe to use from several threads.

    >>> Credentials("", "").header("GET", "/") is None
    True
    >>> Credentials("ann", "secret").header("GET", "/")
    'Basic YW5uOnNlY3JldA=='
    """

    def __init__(self, user: str, password: str) -> None:
        self._user = user
        self._password = password
        self._lock = threading.Lock()
        self._digest: dict[str, str] | None = None
        self._count = 0

    def __repr__(self) -> str:
        return "Credentials(…)"

    def header(self, method: str, target: str) -> str | None:
        """The value of `Authorization` for a request; None where there is no user."""
        if not self._user:
            return None
        with self._lock:
            challenge, self._count = self._digest, self._count + 1
            count = self._count
        if challenge is None:
            return "Basic " + base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
        return self._answer(challenge, count, method, target)

    def asked(self, challenges: list[str]) -> bool:
        """Take note of the server's `WWW-Authenticate`; whether asking again may help."""
        for challenge in challenges:
            scheme, _, rest = challenge.partition(" ")
            if scheme.lower() != "digest" or not self._user:
                continue
            told = parse_keqv_list(parse_http_list(rest))
            known = told.get("algorithm", "MD5").upper() in _HASHES and "nonce" in told
            plain = "qop" not in told or "auth" in [word.strip() for word in told["qop"].split(",")]
            if known and plain:
                with self._lock:
                    fresh = self._digest is None or self._digest["nonce"] != told["nonce"]
                    self._digest, self._count = told, 0
                return fresh
        return False

    def _answer(self, challenge: dict[str, str], count: int, method: str, target: str) -> str:
        algorithm = challenge.get("algorithm", "MD5").upper()

        def digest(text: str) -> str:
            return _HASHES[algorithm](text.encode(), usedforsecurity=False).hexdigest()

        realm, nonce = challenge.get("realm", ""), challenge["nonce"]
        who = digest(f"{self._user}:{realm}:{self._password}")
        what = digest(f"{method}:{target}")
        fields = {"username": self._user, "realm": realm, "nonce": nonce, "uri": target}
        if "opaque" in challenge:
            fields["opaque"] = challenge["opaque"]
        if "qop" in challenge:
            own, number = secrets.token_hex(8), f"{count:08x}"
            fields |= {"cnonce": own, "response": digest(f"{who}:{nonce}:{number}:{own}:auth:{what}")}
            bare = f", qop=auth, nc={number}, algorithm={algorithm}"
        else:
            fields["response"] = digest(f"{who}:{nonce}:{what}")
            bare = f", algorithm={algorithm}"
        quoted = ", ".join(
            '{}="{}"'.format(name, value.replace("\\", "\\\\").replace('"', '\\"')) for name, value in fields.items()
        )
        return f"Digest {quoted}{bare}"
