"""Importing research-object crates (RO-Crate 1.0 to 1.3): what was run on what and made what, by whom, under which licence.

Process, Workflow and Provenance Run Crates describe runs as actions; a plain crate describes its data, people and papers.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator

from headwater.importers.documents import head, record_key
from headwater.importers.protocol import Sniff, Source
from headwater.importers.ro_crate_facts import CrateWriter
from headwater.importers.ro_crate_metadata import NAMES, Crate, read_metadata
from headwater.importers.ro_crate_payload import Digests, metadata_entry, metadata_file, opened
from headwater.records.draft import Draft, Failure
from headwater.terms.minting import Mint, short_hash


class RoCrateImporter:
    """A crate as a folder, as its metadata file, or as a zip that is read in place."""

    name = "ro-crate"
    version = "1"
    title = "RO-Crate: folder, ro-crate-metadata.json, or zip"
    evidence = "declared"

    def sniff(self, source: Source) -> Sniff | None:
        if source.path.is_dir():
            found = metadata_file(source.path)
            return None if found is None else Sniff(0.95, f"it holds {found.name}")
        start = head(source.path)
        if start.startswith(b"PK\x03\x04") or start.startswith(b"PK\x05\x06"):
            try:
                with zipfile.ZipFile(source.path) as archive:
                    entry = metadata_entry(archive)
            except (zipfile.BadZipFile, OSError, NotImplementedError):
                return None
            return None if entry is None else Sniff(0.95, f"a zip with {entry} in it")
        if source.name.endswith(NAMES):
            return Sniff(0.97, "it is called like a crate's metadata")
        if b"w3id.org/ro/crate" in start and start.lstrip()[:1] == b"{":
            return Sniff(0.92, "JSON with RO-Crate's context")
        return None

    def size(self, source: Source) -> int | None:  # noqa: ARG002 (always one)
        return 1

    def read(self, source: Source, mint: Mint) -> Iterator[Draft | Failure]:
        """One record for the crate. Raises `UnreadableSource` for what is no crate."""
        with opened(source) as payload:
            data = payload.metadata()
            crate = read_metadata(data, source.name)
            key = _key(source, crate, data)
            writer = CrateWriter(crate, key, mint, Digests(payload), source.name)
            triples = writer.triples()
            title = crate.entities[crate.root].text("name", "alternateName") or source.name
            yield Draft(mint.record(key), source.name, title, triples, [*crate.findings, *writer.findings()])


def _key(source: Source, crate: Crate, data: bytes) -> str:
    """The crate's own name: where it lies, whether the folder or the file in it was named. An upload called as every crate's
    metadata is called says nothing: there the root's identifier tells, or else the content."""
    place = source.identity.replace("\\", "/")
    folder, _, last = place.rpartition("/")
    if last in NAMES:
        place = folder
    if place:
        return f"crate-{short_hash(place)}"
    root = crate.entities[crate.root]
    stated = next((value for value in (*root.references("identifier"), root.text("identifier", "cite-as")) if value), None)
    return f"crate-{short_hash(stated)}" if stated else record_key(Source(source.path, source.name, 0), data, "crate")
