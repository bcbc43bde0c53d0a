"""Fetches the SPARQL servers that Headwater is compared with and tested against: `python -m bench.install_servers [NAME...]`.

Oxigraph's server and rdflib-endpoint come by pip into environments of their own, Fuseki by Maven, Virtuoso from Debian (unpacked,
not installed, so that it needs no rights). What is there already is left alone.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from bench.servers import NAMES, PROGRAMS, Unavailable, available, java_at_least

FUSEKI = {21: "6.2.0", 17: "5.6.0"}
"""The newest Fuseki that runs on a Java of at least so much."""
VIRTUOSO_PACKAGES = [
    "virtuoso-opensource-7-bin",
    "virtuoso-opensource-7-common",
    "libminizip1",
    "libpcre3",
    "libldap-2.5-0",
    "libreadline8",
]


def install(name: str, programs: Path = PROGRAMS) -> str:
    """Fetch one server, unless it is there; says what was done. Raises CalledProcessError or `Unavailable` where that fails."""
    if available(name, programs) is None:
        return "is there"
    programs.mkdir(parents=True, exist_ok=True)
    if name == "fuseki":
        _fuseki(programs / name)
    elif name == "virtuoso":
        _virtuoso(programs / name)
    else:
        _by_pip(programs / name, {"oxigraph": "oxigraph", "rdflib-endpoint": "rdflib-endpoint[web]"}[name])
    reason = available(name, programs)
    if reason is not None:
        raise Unavailable(reason)
    return "was fetched"


def _by_pip(folder: Path, package: str) -> None:
    venv.create(folder, with_pip=True, clear=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "--disable-pip-version-check", "install", "-q", package], check=True)


def _fuseki(folder: Path) -> None:
    if shutil.which("mvn") is None:
        raise Unavailable("Fuseki comes from Maven Central, and the program mvn (Debian: maven) is missing")
    version = FUSEKI[17]
    try:
        java_at_least(21)
        version = FUSEKI[21]
    except Unavailable:
        java_at_least(17)
    coordinates = f"org.apache.jena:jena-fuseki-server:{version}"
    subprocess.run(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={coordinates}", f"-DoutputDirectory={folder}"], check=True)


def _virtuoso(folder: Path) -> None:
    if shutil.which("apt-get") is None:
        raise Unavailable("Virtuoso comes from Debian, and apt-get is missing")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    fetching = ["apt-get", "download", *VIRTUOSO_PACKAGES]
    if subprocess.run(fetching, cwd=folder, check=False, capture_output=True).returncode:
        # On a machine that is new, apt does not know its packages yet; on an old one, they may have moved on.
        subprocess.run(["apt-get", "update"], check=True, capture_output=True)
        subprocess.run(fetching, cwd=folder, check=True, capture_output=True)
    for package in sorted(folder.glob("*.deb")):
        subprocess.run(["dpkg", "-x", package, folder], check=True)
        if package.name.startswith("virtuoso-opensource-7-bin"):
            (folder / "version").write_text(package.name.split("_")[1].partition("+")[0])
        package.unlink()


def main(arguments: list[str] | None = None) -> int:
    """Fetch those that are named, or all; 1 when one of them could not be had."""
    parser = argparse.ArgumentParser(prog="python -m bench.install_servers", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)} (default: all)")
    parser.add_argument("--programs", type=Path, default=PROGRAMS, help="where to put them (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    failed = 0
    for name in chosen.names or NAMES:
        try:
            print(f"{name}: {install(name, chosen.programs)}")
        except subprocess.CalledProcessError as error:
            failed = 1
            print(f"{name}: {error}\n{(error.stderr or b'')[-2000:].decode(errors='replace')}", file=sys.stderr)
        except Unavailable as reason:
            failed = 1
            print(f"{name}: {reason}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
