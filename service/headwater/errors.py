"""Everything that can go wrong, as one tree: each error knows its HTTP status, a title, and what to do next.

    HeadwaterError                500  1   something failed inside
    ├── BadInput                  422  2   what was handed in cannot be accepted
    │   ├── UnreadableSource      422  2   a file is damaged, in another encoding, or not what it claims
    │   ├── UnknownFormat         415  2   no importer recognises the source, or two do equally
    │   ├── RejectedByGate        422  2   SHACL found violations; carries the report
    │   ├── BadParameter          422  2   a parameter is unknown or has a wrong value
    │   ├── BadQuery              400  2   the SPARQL text does not parse or is not allowed
    │   ├── NotAcceptable         406  2   no representation fits what the client accepts
    │   └── TooLarge              413  2   over a limit that a setting fixes
    ├── NotFound                  404  2   no such object, or not for this reader
    │   └── Withdrawn             410  2   there was one; a tombstone is left
    ├── Unauthorised              401  1   no valid token
    ├── Forbidden                 403  1   the token's scope does not reach this far
    ├── Conflict                  409  1   the state of the service forbids it now
    │   ├── FolderBusy            409  1   another process has this data folder open
    │   └── LedgerBusy            409  1   another process writes this ledger
    ├── ReaderOnly                421  1   this process only reads; another one writes
    ├── TooMany                   429  1   more requests than one reader may make
    ├── Overdue                   408  1   the request did not arrive in time
    ├── StorageFailed             507  1   the disk refused (full, read-only, damaged)
    └── Unavailable               503  1   not ready, or a time limit was reached
        ├── LedgerAway            503  1   the ledger's database server does not answer
        ├── InDoubt               503  1   the connection broke in the commit: written or not, nobody can tell yet
        └── Deposed               503  1   this process was the writer, and another one may be now

The first number is the HTTP status, the second the exit code of the command line. HTML pages, `application/problem+json`
(RFC 9457) and the terminal render an error from the same four attributes: `title`, `status`, `detail`, `remedy`.
"""

from __future__ import annotations

from typing import Any, ClassVar


class HeadwaterError(Exception):
    """Something failed inside Headwater.

    `detail` says what is wrong and where; `remedy` what to do about it; `extra` goes into problem+json as further members.

    >>> error = BadParameter("depth must be a number from 0 upwards, or 'full'", parameter="depth")
    >>> error.status, error.exit_code, error.problem()["parameter"]
    (422, 2, 'depth')
    """

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    title: ClassVar[str] = "Something failed inside"
    default_remedy: ClassVar[str] = "Please report this with the steps that led here."

    def __init__(self, detail: str, *, remedy: str | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.remedy = remedy or self.default_remedy
        self.extra = extra

    @classmethod
    def slug(cls) -> str:
        """The error's name in links: `RejectedByGate` becomes `rejected-by-gate`."""
        return "".join("-" + c.lower() if c.isupper() else c for c in cls.__name__).lstrip("-")

    def problem(self, instance: str | None = None) -> dict[str, Any]:
        """This error as an RFC 9457 problem document."""
        body: dict[str, Any] = {
            "type": f"https://w3id.org/headwater/errors#{self.slug()}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "remedy": self.remedy,
        }
        if instance is not None:
            body["instance"] = instance
        return body | self.extra


class BadInput(HeadwaterError):
    """What was handed in cannot be accepted."""

    status = 422
    exit_code = 2
    title = "The input cannot be accepted"
    default_remedy = "Correct the input and try again; nothing was written."


class UnreadableSource(BadInput):
    """A file is damaged, in another encoding, or not what it claims to be."""

    title = "The source cannot be read"


class UnknownFormat(BadInput):
    """No importer recognises the source, or several do equally well."""

    status = 415
    title = "The format is not clear"
    default_remedy = "Name the format with --format (or ?format=)."


class RejectedByGate(BadInput):
    """The SHACL gate found violations. `extra` carries `sentences` and the `report` in Turtle."""

    title = "The gate rejected the record"
    default_remedy = "Mend what the sentences name and send the record again; nothing was written."


class BadParameter(BadInput):
    """A parameter is unknown or has a value that makes no sense."""

    title = "A parameter is wrong"
    default_remedy = "See /docs for the parameters that this question takes."


class BadQuery(BadInput):
    """A SPARQL text that does not parse, or asks for what is not allowed."""

    status = 400
    title = "The query cannot be run"
    default_remedy = "Correct the query text."


class NotAcceptable(BadInput):
    """No representation of the resource fits the Accept header."""

    status = 406
    title = "No such representation"
    default_remedy = "Ask for one of the media types that the message lists."


class TooLarge(BadInput):
    """Something exceeds a limit that a setting fixes."""

    status = 413
    title = "Too large"
    default_remedy = "Send less, or raise the limit in headwater.toml."


class NotFound(HeadwaterError):
    """There is no such object, or this reader may not know of it: the two are told apart nowhere."""

    status = 404
    exit_code = 2
    title = "Not found"
    default_remedy = "Check the identifier: an IRI, a CURIE, a PID, a digest or an external id such as mlflow:RUNID."


class Withdrawn(NotFound):
    """There was such an object; its tombstone says when and why it went."""

    status = 410
    title = "Withdrawn"
    default_remedy = "The tombstone names who to ask."


class Unauthorised(HeadwaterError):
    """No token, or one that does not hold."""

    status = 401
    title = "A token is needed"
    default_remedy = "Send 'Authorization: Bearer TOKEN'; make one with 'headwater token create NAME --scope write'."


class Forbidden(HeadwaterError):
    """The token is valid, but its scope does not reach this far."""

    status = 403
    title = "Not allowed with this token"
    default_remedy = "Use a token with a wider scope."


class Conflict(HeadwaterError):
    """The present state of the service forbids this."""

    status = 409
    title = "Conflict"
    default_remedy = "Look at the present state and try again."


class FolderBusy(Conflict):
    """Another process has the data folder open; there is one writer."""

    title = "The data folder is in use"
    default_remedy = "Stop the other process, talk to it over HTTP, or name another folder with --data."


class LedgerBusy(Conflict):
    """Another process writes this ledger; there is one writer."""

    title = "The ledger has a writer"
    default_remedy = (
        "Stop the other process, send it what is to be written over HTTP, or set role = 'reader' (or 'standby') and a data "
        "folder of its own here."
    )


class ReaderOnly(HeadwaterError):
    """This process follows the ledger and only reads; `extra` carries `writer`, the address to write to, where it is known."""

    status = 421
    title = "This is a reader"
    default_remedy = "Send the request to the writer; the setting writer_url names it here."


class TooMany(HeadwaterError):
    """One reader asks more than he may; others are served."""

    status = 429
    title = "Too many requests"
    default_remedy = "Wait for the seconds that Retry-After names; the limits are requests_per_minute and requests_at_once."


class Overdue(HeadwaterError):
    """A request began and did not arrive in time."""

    status = 408
    title = "The request did not arrive in time"
    default_remedy = "Send it faster; the limit is request_timeout_s."


class StorageFailed(HeadwaterError):
    """The disk refused: full, read-only or damaged."""

    status = 507
    title = "The disk refused"
    default_remedy = "Free some space or mend the disk; what was accepted before is safe in the ledger."


class Unavailable(HeadwaterError):
    """Not ready yet, or a time limit was reached."""

    status = 503
    title = "Not available now"
    default_remedy = "Try again in a moment."


class LedgerAway(Unavailable):
    """The ledger's database server cannot be reached, or broke the connection."""

    title = "The ledger cannot be reached"
    default_remedy = "Try again in a moment; if it lasts, look whether the database server runs."


class InDoubt(Unavailable):
    """The connection broke while the database committed, and it did not come back in time to be asked what became of it."""

    title = "It may or may not be written"
    default_remedy = (
        "Look at the record's history once the ledger can be reached, or send the same again: what was written is not written "
        "twice."
    )


class Deposed(Unavailable):
    """This process lost the right to write, and another one may have taken it."""

    title = "Another process may be the writer now"
    default_remedy = "Try again in a moment, at the service's common address; nothing was written."
