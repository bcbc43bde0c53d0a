"""Whether the service can answer now: what is behind, what is broken, and whether the disk has room."""

from __future__ import annotations

import shutil
from typing import Any

from headwater.app.keeping import Keeping
from headwater.app.querying import Querying
from headwater.errors import HeadwaterError
from headwater.store.remote import RemoteStore


class Readiness(Querying, Keeping):
    """How the parts stand, for whoever has to decide whether requests go here."""

    def readiness(self) -> dict[str, Any]:
        """`ready`, the `reasons` why not (sentences), `sequence` of the ledger, by how much store and index are `behind` it, the
        `checks` of sandbox, disk and a SPARQL server outside, what that server lacks (`store`), how audits stand, and this
        process's `duty`: its role, and of a reader how far it is behind the ledger that it follows. What a server lacks and how
        audits stand decides nothing.
        """
        reasons = []
        try:
            status = self.status()
        except HeadwaterError as error:
            # A ledger that cannot be read is a reason, not an accident of this question.
            return _unreadable(error, self.duty.status())
        behind = {part: status["ledger"] - status[part] for part in ("store", "index")}
        late = [f"{part} by {number:,}" for part, number in behind.items() if number]
        # A reader is behind for a moment with each write of the writer; for how long it may be, a setting says.
        following = "behind" in status["duty"] and status["store"] > 0
        if late and not following:
            reasons.append(f"Behind the ledger and catching up: {', '.join(late)}.")
        works = isinstance(self._store, RemoteStore) or self.sandbox_works()
        if not works:
            reasons.append("No process can be started for SPARQL queries.")
        free, wanted = self._free_mb(), self.settings.min_free_mb
        roomy = free is None or free >= wanted
        if not roomy:
            reasons.append(f"Only {free:,} MiB are free on the disk, fewer than {wanted:,} (min_free_mb).")
        remote = self._store if isinstance(self._store, RemoteStore) else None
        checks = {"sandbox": "ok" if works else "broken", "disk": "ok" if roomy else "nearly full"}
        if remote is not None:
            checks["store"] = "ok" if remote.answers() else "no answer"
            if checks["store"] != "ok":
                reasons.append("The SPARQL server that holds the graphs does not answer.")
        duty = status["duty"]
        reasons += self._far_behind(duty)
        audit = status["audit"]
        told = {name: audit.get(name) for name in ("state", "due", "at", "sequence")}
        return {
            "ready": not reasons,
            "reasons": reasons,
            "sequence": status["ledger"],
            "behind": behind,
            "checks": checks,
            "store": {} if remote is None else {"server": remote.capabilities.server, "lacks": remote.capabilities.lacks},
            "audit": told | {"failed": audit["failure"] is not None},
            "duty": duty,
        }

    def _far_behind(self, duty: dict[str, Any]) -> list[str]:
        """Why a reader is too far behind the ledger, by the settings."""
        most, oldest = self.settings.max_behind_s, self.settings.max_age_s
        reasons = []
        if duty.get("behind_s", 0.0) > most:
            reasons.append(f"For {duty['behind_s']:.0f} seconds behind the ledger, by {duty['behind']:,} entries now.")
        if oldest and duty.get("age_s", 0.0) > oldest:
            reasons.append(f"The ledger was last reached {duty['age_s']:.0f} seconds ago.")
        return reasons

    def _free_mb(self) -> int | None:
        """MiB that are free where the data lie; None where they lie in memory."""
        if self.settings.store == "memory":
            return None
        return int(shutil.disk_usage(self.settings.data).free // 2**20)


def _unreadable(error: HeadwaterError, duty: dict[str, Any]) -> dict[str, Any]:
    return {
        "ready": False,
        "reasons": [error.detail],
        "sequence": None,
        "behind": {},
        "checks": {"ledger": "broken"},
        "store": {},
        "audit": {},
        "duty": duty,
    }
