"""`headwater doctor`: what is installed, how the data folder stands, and what might be wrong."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import typer

from headwater.cli.opening import holds_data, opened, settings
from headwater.cli.options import Data, Json
from headwater.errors import FolderBusy, HeadwaterError, LedgerBusy

if TYPE_CHECKING:
    from headwater.cli.printing import Line
    from headwater.settings import Settings

_PACKAGES: Final = (
    "pyoxigraph",
    "pyshacl",
    "rdflib",
    "sqlalchemy",
    "numpy",
    "scipy",
    "fastapi",
    "uvicorn",
    "pydantic",
    "typer",
    "rich",
)
_GROUPS: Final = ("importers", "exporters", "stores")
_LITTLE_SPACE: Final = 1 << 30
_SLOW_S: Final = 10.0


def doctor(as_json: Json = False, data: Data = None) -> None:
    """Say what is installed, how the data folder stands, and what might be wrong. Exit code 1 if something does not work."""
    from headwater.cli.printing import show, show_json

    found = _examined(settings(data))
    if as_json:
        show_json(found)
    else:
        show(_lines(found))
    if found["broken"]:
        raise typer.Exit(1)


def _examined(chosen: Settings) -> dict[str, Any]:
    from headwater import __version__
    from headwater.access.loopback import is_loopback

    broken: list[str] = []
    warnings: list[str] = []
    plugins = {group: [_plugin(entry) for entry in sorted(entry_points(group=f"headwater.{group}"))] for group in _GROUPS}
    for group, entries in plugins.items():
        broken += [f"{group}: {entry['name']} cannot be used: {entry['problem']}" for entry in entries if entry["problem"]]
    folder = _folder(chosen, broken, warnings)
    base = (folder.get("status") or {}).get("base_iri") or chosen.base_iri
    if is_loopback(urlsplit(base).hostname or ""):
        warnings.append(
            f"the IRIs made here begin with {base}, which is another place on every machine: before others rely on them, "
            "begin a new data folder with HEADWATER_BASE_IRI set to an address that you keep"
        )
    return {
        "version": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "data": folder,
        **plugins,
        "warnings": warnings,
        "broken": broken,
    }


def _plugin(entry: Any) -> dict[str, Any]:
    problem = None
    try:
        entry.load()
    except Exception as error:  # whatever a third party's module does when it is imported, doctor has to say it
        problem = f"{type(error).__name__}: {error}"
    return {"name": entry.name, "from": entry.value, "package": entry.dist.name if entry.dist else None, "problem": problem}


def _folder(chosen: Settings, broken: list[str], warnings: list[str]) -> dict[str, Any]:
    free = shutil.disk_usage(_nearest(chosen.data)).free
    if free < _LITTLE_SPACE:
        warnings.append(f"only {free // 2**20:,} MiB are free where {chosen.data} lies")
    found: dict[str, Any] = {"folder": str(chosen.data.resolve()), "free_bytes": free, "state": "empty", "status": None}
    if not holds_data(chosen):
        return found
    found["slow_queries"] = slow = _slow(chosen.data)
    if slow:
        worst = f"{slow[0]['seconds']:.1f} s ({slow[0]['kind']} by {slow[0]['reader']}, {slow[0]['outcome']})"
        warnings.append(
            f"of the questions of the last hours some took more than {_SLOW_S:g} s, the slowest {worst}; "
            "the log of queries in the data folder has them"
        )
    if chosen.ledger:
        found["ledger"] = _ledger(chosen.ledger, broken, warnings)
    try:
        with opened(chosen.data) as headwater:
            found |= {"state": "open", "status": headwater.status()}
        for lack in found["status"].get("server", {}).get("lacks", ()):
            warnings.append(f"the triplestore {found['status']['server']['server']}: {lack.rstrip('.')}")
        audit = found["status"]["audit"]
        if audit["due"]:
            reasons = " ".join(audit["reasons"]).rstrip(".")
            warnings.append(
                f"an audit is due, which 'headwater verify --audit' makes, and 'headwater serve' by itself: {reasons}"
            )
        if audit["failure"] is not None:
            warnings.append(f"the last audit failed at {audit['failure']['at']}: {audit['failure']['detail'].rstrip('.')}")
    except (FolderBusy, LedgerBusy) as error:
        found["state"] = "in use"
        warnings.append(f"{error.detail} Its state cannot be looked into from here; /health/ready tells")
    except HeadwaterError as error:
        found["state"] = "broken"
        broken.append(f"{error.detail} {error.remedy}")
    return found


def _ledger(address: str, broken: list[str], warnings: list[str]) -> dict[str, Any]:
    """The ledger's database: where it is, without a password, and whether it keeps what it is given."""
    from headwater.ledger.addresses import parsed, told
    from headwater.ledger.postgres import facts
    from headwater.ledger.schema import connect_engine

    found: dict[str, Any] = {}
    try:
        found["address"] = told(parsed(address))
        engine = connect_engine(address, reading=True)
    except HeadwaterError as error:
        broken.append(f"{error.detail} {error.remedy}")
        return found
    try:
        if engine.dialect.name == "postgresql":
            with engine.connect() as connection:
                found |= facts(connection)
            if found["fsync"] != "on":
                warnings.append("the ledger's PostgreSQL runs with fsync=off: after a power cut the ledger may be damaged")
            if found["replica"] == "true":
                warnings.append("the ledger's PostgreSQL is a replica: readers can follow it, nobody can write to it")
    finally:
        engine.dispose()
    return found


def _slow(data: Path) -> list[dict[str, Any]]:
    from headwater.app.query_log import WINDOW_S, slowest_on_file

    since = (datetime.now(UTC) - timedelta(seconds=WINDOW_S)).isoformat()
    return [entry for entry in slowest_on_file(data, since) if float(entry.get("seconds", 0)) > _SLOW_S]


def _nearest(path: Path) -> Path:
    path = path.resolve()
    while not path.exists():
        path = path.parent
    return path


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _lines(found: Mapping[str, Any]) -> Iterator[Line]:
    yield f"Headwater {found['version']} on Python {found['python']}, {found['platform']}", "bold"
    yield ", ".join(f"{name} {number or 'missing'}" for name, number in found["packages"].items()), "dim"
    data = found["data"]
    yield "", ""
    yield f"Data folder {data['folder']}: {data['state']}", "bold"
    yield f"  free on that disk: {data['free_bytes'] / 2**30:,.1f} GiB", ""
    if data.get("ledger"):
        yield f"  ledger: {_value(data['ledger'])}", ""
    for name, value in (data["status"] or {}).items():
        yield f"  {name.replace('_', ' ')}: {_value(value)}", ""
    for group in _GROUPS:
        yield "", ""
        yield group.capitalize(), "bold"
        for entry in found[group]:
            package = "" if entry["package"] in (None, "headwater") else f" (from {entry['package']})"
            yield f"  {'✗' if entry['problem'] else '✓'} {entry['name']}{package}", "red" if entry["problem"] else ""
    yield "", ""
    for warning in found["warnings"]:
        yield f"Note: {warning}.", "yellow"
    for problem in found["broken"]:
        yield f"Broken: {problem}", "red"
    if not found["broken"]:
        yield "Everything that was looked at works.", "green"


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value(each)}" for key, each in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(_value(each) for each in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
