"""Connections to web servers of public networks, at the very address that was checked.

A name that leads to another address the next time does not help whoever set it up: it is resolved once, and what was found and
looked at is what is connected to.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, IPv6Network, ip_address

_TRANSLATED = IPv6Network("64:ff9b::/96")


class Private(Exception):
    """A name leads into a network that is not to be asked."""


class _Pinned(http.client.HTTPConnection):
    """A connection to a network address that was checked, whatever its name leads to by now."""

    def __init__(self, host: str, port: int, at: str, timeout: float, security: ssl.SSLContext | None) -> None:
        super().__init__(host, port, timeout=timeout)
        self._at = at
        self._security = security

    def connect(self) -> None:
        self.sock = socket.create_connection((self._at, self.port), self.timeout)
        if self._security is not None:
            self.sock = self._security.wrap_socket(self.sock, server_hostname=self.host)


Connect = Callable[[str, str, int | None, float], http.client.HTTPConnection]
"""Makes a connection from a scheme, a host, a port (None: the usual one) and seconds of patience."""


def connect_publicly(scheme: str, host: str, port: int | None, timeout: float) -> http.client.HTTPConnection:
    """A connection to a server of a public network. Raises `Private` where any address of the name is of no such network."""
    return connect(scheme, host, port, timeout, private=False)


def connect(scheme: str, host: str, port: int | None, timeout: float, *, private: bool) -> http.client.HTTPConnection:
    """A connection to a server; with `private`, also to one of a private network or of this machine."""
    number = port or (443 if scheme == "https" else 80)
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)]
    if not private and not all(map(is_public, found)):
        raise Private
    return _Pinned(host, number, found[0], timeout, ssl.create_default_context() if scheme == "https" else None)


@contextmanager
def hung_up_after(connection: http.client.HTTPConnection, seconds: float) -> Iterator[None]:
    """Ends a connection after so many seconds, and with the block: the time-out of a socket begins anew with every byte."""
    alarm = threading.Timer(seconds, _hang_up, [connection])
    alarm.daemon = True
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()
        connection.close()


def _hang_up(connection: http.client.HTTPConnection) -> None:
    if connection.sock is not None:
        try:
            connection.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it was closed in this moment


def left(until: float) -> float:
    """The seconds until a moment of `time.monotonic`. Raises `TimeoutError` when there are none."""
    rest = until - time.monotonic()
    if rest <= 0:
        raise TimeoutError
    return rest


def is_public(address: str) -> bool:
    """Whether a network address is one that anybody on the internet may ask.

    >>> [is_public(text) for text in ("93.184.215.14", "127.0.0.1", "10.0.0.7", "169.254.169.254", "::ffff:10.0.0.7", "::1")]
    [True, False, False, False, False, False]
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is not None:
            return is_public(str(inner))
        if found in _TRANSLATED:
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved
