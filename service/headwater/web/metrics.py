"""What is measured of the running service: requests, questions, writes, and how its parts stand."""

from __future__ import annotations

from collections import Counter as Tally
from typing import Any, Final

from headwater import __version__
from headwater.app import Headwater
from headwater.errors import HeadwaterError
from headwater.web.measures import Counter, Durations, Labels, told

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


class Metrics:
    """The counts of one application since it began. Labels only take values that this program fixes, never a client's."""

    def __init__(self) -> None:
        self._requests = Counter(
            "headwater_requests_total", "Requests answered, by route and status.", ("method", "route", "status")
        )
        self._durations = Durations("headwater_request_seconds", "Seconds until the last byte was handed over.", "route")
        self._queries = Counter("headwater_sparql_queries_total", "SPARQL queries by outcome.", ("outcome",))
        self._writes = Counter("headwater_writes_total", "Requests to write, by outcome.", ("outcome",))
        self._limited = Counter("headwater_requests_limited_total", "Requests refused for coming too often.", ("route",))

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that is over. `route` is the template of its route, or `unmatched`."""
        self._requests.add(method if method in _METHODS else "other", route, str(status))
        self._durations.add(route, seconds)
        if status == 429:
            self._limited.add(route)

    def question(self, kind: str, outcome: str) -> None:
        """Count a SPARQL query by how it ended."""
        if kind == "query":
            self._queries.add(outcome)

    def write(self, status: int) -> None:
        """Count a request that wanted to write, by the status that answered it."""
        known = {401: "refused", 403: "refused", 409: "conflict", 412: "conflict", 422: "rejected", 429: "limited"}
        outcome = known.get(status) or ("accepted" if status < 400 else "invalid" if status < 500 else "failed")
        self._writes.add(outcome)

    def exposition(self, headwater: Headwater) -> str:
        """All of it, and how the parts stand now, in Prometheus's text format."""
        lines = told("headwater_info", "gauge", "The version that runs.", [({"version": __version__}, 1)])
        for measure in (self._requests, self._durations, self._queries, self._writes, self._limited):
            lines += measure.lines()
        return "\n".join([*lines, *_standing(headwater)]) + "\n"


def _standing(headwater: Headwater) -> list[str]:
    try:
        status = headwater.status()
    except HeadwaterError:
        # What is measured of everything else is wanted most when the ledger cannot be read.
        away = told("headwater_ledger_reachable", "gauge", "Whether the ledger can be read.", [({}, 0)])
        return away + _questioning(headwater)
    places = ("ledger", "store", "index")
    lines = told(
        "headwater_sequence",
        "gauge",
        "The sequence number that each part has reached.",
        [({"part": p}, status[p]) for p in places],
    )
    lag = [({"part": part}, status["ledger"] - status[part]) for part in places[1:]]
    lines += told("headwater_lag", "gauge", "By how many commits each part is behind the ledger.", lag)
    records: Tally[str] = Tally()
    for visibility, number in status["records"].items():
        # Names of projects are nobody's business here, and there may be any number of them.
        records[visibility.partition(":")[0]] += number
    lines += told(
        "headwater_records", "gauge", "Records by visibility.", [({"visibility": v}, n) for v, n in sorted(records.items())]
    )
    audit = status["audit"]
    states = [({"state": state}, float(audit["state"] == state)) for state in ("idle", "waiting", "running")]
    lines += told("headwater_audit_state", "gauge", "1 for the state that audits are in.", states)
    lines += told("headwater_audit_due", "gauge", "Whether an audit is due.", [({}, float(bool(audit["due"])))])
    lines += told(
        "headwater_audit_failed", "gauge", "Whether the last audit failed.", [({}, float(audit["failure"] is not None))]
    )
    return lines + _following(status["duty"]) + _questioning(headwater)


def _following(duty: dict[str, Any]) -> list[str]:
    roles = [({"role": role}, float(duty["role"] == role)) for role in ("writer", "reader", "standby")]
    lines = told("headwater_role", "gauge", "1 for the role that the settings give this process.", roles)
    lines += told("headwater_writing", "gauge", "Whether this process is the writer.", [({}, float(duty["writing"]))])
    reachable: list[tuple[Labels, float]] = [({}, float(duty.get("ledger_reachable", True)))]
    lines += told("headwater_ledger_reachable", "gauge", "Whether the ledger can be read.", reachable)
    if "behind" in duty:
        lines += told("headwater_follow_behind", "gauge", "Entries that a reader knows itself behind.", [({}, duty["behind"])])
        about = "Seconds since a reader last knew that it had everything."
        lines += told("headwater_follow_age_seconds", "gauge", about, [({}, duty["age_s"])])
    return lines


def _questioning(headwater: Headwater) -> list[str]:
    sandbox = headwater.sandbox_if_started
    workers = sandbox.status() if sandbox is not None else {"workers": 0, "idle": 0, "lost": 0}
    now = [({"state": "busy"}, workers["workers"] - workers["idle"]), ({"state": "idle"}, workers["idle"])]
    lines = told("headwater_sandbox_workers", "gauge", "Processes for strangers' queries.", now)
    lost: list[tuple[Labels, float]] = [({}, workers["lost"])]
    lines += told("headwater_sandbox_workers_lost_total", "counter", "Those that broke or were stopped.", lost)
    kept = headwater.kept_answers
    found = [({"result": "hit"}, kept.hits), ({"result": "miss"}, kept.misses)]
    lines += told("headwater_answer_cache_lookups_total", "counter", "Answers looked for among those kept.", found)
    lines += told("headwater_answer_cache_bytes", "gauge", "Bytes of answers kept.", [({}, kept.size)])
    dropped: list[tuple[Labels, float]] = [({}, headwater.query_log.lost)]
    return lines + told("headwater_query_log_lost_total", "counter", "Lines of the query log that could not be written.", dropped)
