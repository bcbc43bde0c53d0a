"""Crates come in as runs, data, models and people, as folder, file or zip; nothing is fetched, unpacked or read outside."""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import zipfile
from pathlib import Path

import pyoxigraph
import pytest

from headwater.checking.gate import Gate
from headwater.errors import TooLarge, UnreadableSource
from headwater.importers import ro_crate_payload
from headwater.importers.protocol import Source
from headwater.importers.rdf import RdfImporter
from headwater.importers.registry import choose
from headwater.importers.ro_crate import RoCrateImporter
from headwater.records.draft import Draft
from headwater.records.record import Record, RecordMaker
from headwater.terms.minting import Mint
from headwater.terms.names import PREFIXES

MINT = Mint("https://data.example/")
CRATE = Path(__file__).resolve().parents[1] / "fixtures" / "ro-crate" / "run"
SAMPLES = [
    ("rocrate-1.0", 0),
    ("rocrate-1.2-rainfall", 0),
    ("wrroc-cosifer-cwl", 3),
    ("wrroc-ml-pipeline", 2),
    ("wrroc-ml-predict-streamflow", 5),
    ("wrroc-nf-prov", 5),
    ("wrroc-process-example1", 1),
    ("wrroc-snakemake-crcc", 1),
]


def draft(path: Path, most: int = 10**8, name: str | None = None) -> Draft:
    (one,) = RoCrateImporter().read(Source(path, name or path.name, most, identity=str(path)), MINT)
    assert isinstance(one, Draft)
    return one


def record(path: Path) -> Record:
    return RecordMaker(MINT).make(draft(path), "public", "ro-crate", "1", "declared")


def rows(made: Record, variables: str, pattern: str) -> list[tuple[str, ...]]:
    store = pyoxigraph.Store()
    store.extend(pyoxigraph.Quad(t.subject, t.predicate, t.object) for t in [*made.asserted, *made.entailed])
    found = store.query(f"SELECT DISTINCT {variables} WHERE {{ {pattern} }}", prefixes=dict(PREFIXES))
    assert isinstance(found, pyoxigraph.QuerySolutions)
    return sorted(tuple("" if term is None else term.value for term in row) for row in found)  # type: ignore[union-attr]


def written(folder: Path, graph: list[dict[str, object]]) -> Path:
    """A crate whose root is named `x` and has these further entities."""
    descriptor = {"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"}}
    root = {"@id": "./", "@type": "Dataset", "name": "x"}
    folder.mkdir(exist_ok=True)
    document = {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": [descriptor, root, *graph]}
    (folder / "ro-crate-metadata.json").write_text(json.dumps(document))
    return folder


@pytest.fixture(scope="module")
def crate() -> Record:
    return record(CRATE)


def test_an_action_becomes_a_run_with_its_data_in_their_roles(crate: Record) -> None:
    usage = "[] rdfs:label 'fit of the reader' ; prov:qualifiedUsage [ prov:entity [ rdfs:label ?what ] ; prov:hadRole ?role ]"
    assert {(what, role.rpartition("#")[2]) for what, role in rows(crate, "?what ?role", usage)} == {
        ("spectra", "train"),
        ("held-out spectra", "test"),
        ("train.py", "execute"),
        ("lab/reader:1.2", "configure"),
    }


def test_what_a_run_made_when_and_by_whom_is_known(crate: Record) -> None:
    run = "?run a mls:Run ; prov:startedAtTime ?start ; prov:endedAtTime ?end ; hw:status ?status ; prov:wasAssociatedWith ?who"
    run += " . ?model a hw:Model ; prov:wasGeneratedBy ?run ; rdfs:label ?name"
    ((*values,),) = rows(crate, "?name ?start ?end ?status ?who", run)
    assert set(values) == {
        "reader",
        "2026-03-01T09:00:00Z",
        "2026-03-01T11:00:00Z",
        "finished",
        "https://orcid.org/0000-0002-1825-0097",
    }


def test_property_values_are_settings_as_input_and_measures_as_result(crate: Record) -> None:
    value = "mls:hasValue ?value ; mls:specifiedBy [ rdfs:label ?name ]"
    assert rows(crate, "?name ?value", f"[] a mls:HyperParameterSetting ; {value}") == [("learning_rate", "0.1")]
    assert rows(crate, "?name ?value", f"[] a mls:ModelEvaluation ; {value}") == [("accuracy", "0.93")]


def test_a_file_beside_its_metadata_is_pinned_by_its_digest(crate: Record) -> None:
    digest = hashlib.sha256((CRATE / "spectra.csv").read_bytes()).hexdigest()
    assert rows(crate, "?d", "?file rdfs:label 'spectra' ; hw:digest ?d") == [(f"sha256:{digest}",)]


def test_licence_authors_and_cited_papers_are_kept_and_mail_addresses_are_not(crate: Record) -> None:
    pattern = "?crate a hw:Dataset ; dcterms:license ?licence ; prov:wasAttributedTo ?who ; hw:cites ?paper"
    ((*values,),) = rows(crate, "?licence ?who ?paper", pattern)
    assert set(values) == {
        "https://spdx.org/licenses/CC-BY-4.0",
        "https://orcid.org/0000-0002-1825-0097",
        "https://doi.org/10.5555/spectra",
    }
    assert b"vera@lab.example" not in crate.body
    assert "personal-data" in {finding.reason for finding in crate.findings}


def test_folder_file_and_zip_say_the_same(tmp_path: Path, crate: Record) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "crate"), "zip", CRATE))
    nested = Path(shutil.make_archive(str(tmp_path / "nested"), "zip", CRATE.parent, CRATE.name))
    assert record(CRATE / "ro-crate-metadata.json").digest == crate.digest
    for path in (archive, nested):
        assert choose(Source(path, path.name, 10**8), known=[RoCrateImporter(), RdfImporter()]).name == "ro-crate"
        other = record(path)
        assert (len(other.asserted), other.title) == (len(crate.asserted), crate.title)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["crate.zip", "nested.zip"]


def test_a_zip_that_lies_about_its_size_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ro-crate-metadata.json", b" " * 5_000_000)
    assert path.stat().st_size < 10_000
    monkeypatch.setattr(ro_crate_payload, "_MOST_METADATA", 1_000_000)
    with pytest.raises(TooLarge):
        draft(path)
    data = path.read_bytes()  # now its directory claims 100 bytes
    path.write_bytes(data.replace(struct.pack("<L", 5_000_000), struct.pack("<L", 100)))
    with pytest.raises((TooLarge, UnreadableSource)):
        draft(path)


def test_nothing_outside_the_crate_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("1")
    folder = tmp_path / "crate"
    written(folder, [{"@id": name, "@type": "File"} for name in ("../secret.csv", "link.csv", "here.csv")])
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "here.csv").write_text("2")
    digests = rows(record(folder), "?d", "?file hw:digest ?d")
    assert digests == [("sha256:" + hashlib.sha256(b"2").hexdigest(),)]


def test_digests_stop_at_the_bytes_that_a_crate_may_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(tmp_path / "crate", [{"@id": "a.csv", "@type": "File"}])
    (folder / "a.csv").write_text("22")
    monkeypatch.setattr(ro_crate_payload, "_MOST_DIGESTED", 1)
    assert rows(record(folder), "?d", "?file hw:digest ?d") == []


def test_entities_that_break_the_rules_still_come_in(tmp_path: Path) -> None:
    action: dict[str, object] = {"@id": "#a", "@type": "CreateAction", "instrument": {"@id": "run.py"}, "result": {"@id": "gone"}}
    action["object"] = {"@type": "File", "name": "inline"}
    made = record(written(tmp_path / "crate", [action, {"@id": "run.py", "name": "a script"}, "x"]))  # type: ignore[list-item]
    assert {"entity-without-id", "instrument-without-type", "entity"} <= {finding.reason for finding in made.findings}
    assert rows(made, "?name", "?run a hw:Run ; prov:used [ rdfs:label ?name ]") == [("a script",), ("inline",)]


def test_the_length_and_the_energy_of_an_action_are_the_run_s(tmp_path: Path) -> None:
    used = {"@id": "#used", "@type": "PropertyValue", "name": "energyConsumption", "value": "500", "unitText": "Wh"}
    part = {"@id": "#gpu", "@type": "PropertyValue", "name": "gpuEnergy", "value": "9", "unitCode": "KWH"}
    action: dict[str, object] = {
        "@id": "#a",
        "@type": "CreateAction",
        "startTime": "2026-01-01T10:00:00Z",
        "endTime": "2026-01-01T12:00:00Z",
        "resourceUsage": [{"@id": "#used"}, {"@id": "#gpu"}],
    }
    made = record(written(tmp_path / "crate", [action, used, part]))
    pattern = "?run hw:energy ?kwh ; prov:startedAtTime ?begun ; prov:endedAtTime ?ended"
    assert rows(made, "?kwh ?begun ?ended", pattern) == [("0.5", "2026-01-01T10:00:00Z", "2026-01-01T12:00:00Z")]


def test_runs_of_steps_belong_to_the_run_of_the_workflow(shared: Path) -> None:
    made = record(shared / "realdata/ro-crate/wrroc-ml-predict-streamflow")
    steps = rows(made, "?step ?whole", "?run rdfs:label ?step ; dcterms:isPartOf [ rdfs:label ?whole ]")
    assert len(steps) == 3
    assert all("Run of workflow/predictions.cwl" in row for row in steps)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"{", "no JSON"), (b"{}", "no @graph"), (b'{"@graph": []}', "root data set"), (b'{"@graph": [1]}', "root data set")],
)
def test_what_is_no_crate_says_why(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "ro-crate-metadata.json"
    path.write_bytes(content)
    with pytest.raises(UnreadableSource, match=words):
        draft(path)


def test_an_upload_with_the_name_that_every_crate_has_is_told_apart_by_its_content(tmp_path: Path) -> None:
    def uploaded(name: str) -> str:
        folder = written(tmp_path / name, [{"@id": f"#{name}", "@type": "Person", "name": name}])
        source = Source(folder / "ro-crate-metadata.json", "ro-crate-metadata.json", 10**6, identity="ro-crate-metadata.json")
        (one,) = RoCrateImporter().read(source, MINT)
        assert isinstance(one, Draft)
        return one.iri

    assert uploaded("a") != uploaded("b")


@pytest.mark.parametrize(("sample", "runs"), SAMPLES)
def test_real_crates_pass_the_gate_with_all_their_actions(shared: Path, sample: str, runs: int) -> None:
    path = shared / "realdata/ro-crate" / sample
    assert choose(Source(path, path.name, 10**8), known=[RoCrateImporter(), RdfImporter()]).name == "ro-crate"
    made = record(path)
    assert [report.sentences() for report in Gate().check([made]).values() if not report.conforms] == []
    assert len(rows(made, "?run", "?run a hw:Run")) == runs
