"""Writes a make-believe world as RDF in Headwater's model: one big N-Triples file, or one Turtle document for each record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.world import Change, Run, Thing, World

NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "prov": "http://www.w3.org/ns/prov#",
    "mls": "http://www.w3.org/ns/mls#",
    "dcterms": "http://purl.org/dc/terms/",
    "hw": "https://w3id.org/headwater/terms#",
}
BASE = "https://bench.example/"
Statement = tuple[str, str, str]
"""Subject, predicate and object; each `prefix:name`, `<…>`, `_:…` or a literal in Turtle's spelling."""


def iri(thing: Thing) -> str:
    """The name of a thing in angle brackets."""
    return f"<{BASE}id/{thing.kind}/{thing.key}>"


def text(value: str) -> str:
    """A plain literal; JSON's escapes are among Turtle's."""
    return json.dumps(value, ensure_ascii=False)


def moment(milliseconds: int) -> str:
    """A time as `xsd:dateTime`."""
    return f'"{datetime.fromtimestamp(milliseconds // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"^^xsd:dateTime'


def project_iri(project: int) -> str:
    return f"<{BASE}id/project/project-{project}>"


def about_thing(world: World, thing: Thing) -> Iterator[Statement]:
    """What is known of a data set, model, program … by itself."""
    name = iri(thing)
    yield name, "rdf:type", f"hw:{thing.kind.capitalize()}"
    yield name, "rdfs:label", text(thing.label)
    if thing.kind in ("dataset", "model"):
        yield name, "hw:digest", text(f"sha256:{thing.digest()}")
        yield name, "prov:generatedAtTime", moment(thing.at)
    if thing.concept:
        yield name, "hw:version", text(str(thing.version))
        yield name, "prov:specializationOf", f"<{BASE}id/{thing.kind}/{thing.concept}>"
    if thing.earlier is not None:
        yield name, "prov:wasRevisionOf", iri(world.things[thing.earlier])


def about_run(world: World, run: Run) -> Iterator[Statement]:
    """A run with its uses in their roles, its settings and measures, and the things it made."""
    name = iri(world.things[run.thing])
    yield name, "rdf:type", "hw:Run"
    yield name, "rdfs:label", text(world.things[run.thing].label)
    yield name, "dcterms:isPartOf", project_iri(run.project)
    yield name, "prov:startedAtTime", moment(run.start)
    yield name, "prov:endedAtTime", moment(run.end)
    yield name, "hw:status", text("failed" if run.failed else "finished")
    yield name, "prov:wasAssociatedWith", f"<{BASE}id/agent/{run.user}>"
    for number in dict.fromkeys(number for number, _ in run.uses):
        yield name, "prov:used", iri(world.things[number])
    for place, (number, role) in enumerate(run.uses):
        usage, used = f"{name[:-1]}#use{place}>", iri(world.things[number])
        yield name, "prov:qualifiedUsage", usage
        yield usage, "rdf:type", "prov:Usage"
        yield usage, "prov:entity", used
        yield usage, "prov:hadRole", f"hw:{role}"
        yield usage, "hw:evidence", "hw:observed"
    for key, value in run.settings.items():
        setting = f"{name[:-1]}#setting-{key}>"
        yield name, "mls:hasInput", setting
        yield setting, "rdf:type", "mls:HyperParameterSetting"
        yield setting, "mls:specifiedBy", f"<{BASE}id/parameter/{key}>"
        yield setting, "mls:hasValue", text(value)
    for key, values in run.metrics.items():
        measure = f"{name[:-1]}#measure-{key}>"
        yield name, "mls:hasOutput", measure
        yield measure, "rdf:type", "mls:ModelEvaluation"
        yield measure, "mls:specifiedBy", f"<{BASE}id/measure/{key}>"
        yield measure, "mls:hasValue", f'"{values[-1]!r}"^^xsd:double'
    for number in run.makes:
        yield from about_thing(world, world.things[number])
        yield iri(world.things[number]), "prov:wasGeneratedBy", name


def about_change(world: World, change: Change) -> Iterator[Statement]:
    """A change notice."""
    name = f"<{BASE}id/change/{change.key}>"
    old = iri(world.things[change.about])
    yield name, "rdf:type", "hw:Change"
    yield name, "rdfs:label", text(f"{change.kind.replace('-', ' ')}: {world.things[change.about].label}")
    yield name, "hw:changeKind", f"hw:{change.kind}"
    yield name, "hw:changedObject", old
    yield name, "prov:atTime", moment(change.at)
    if change.to is not None:
        yield name, "hw:fromRevision", old
        yield name, "hw:toRevision", iri(world.things[change.to])


def documents(world: World) -> Iterator[tuple[str, list[Statement]]]:
    """The world as records, each with a name: what was there first, each run with what it made, later things, changes."""
    plain: dict[int, list[Statement]] = {}
    for link in world.plain:
        ends = iri(world.things[link.source]), iri(world.things[link.target])
        # The instrument depends on the model, and the model is who controls.
        subject, value = reversed(ends) if link.relation == "controls" else ends
        plain.setdefault(link.source, []).append((subject, f"hw:{link.relation}", value))
    for project in range(world.projects):
        yield (
            f"project-{project}",
            [
                (project_iri(project), "rdf:type", "hw:Project"),
                (project_iri(project), "rdfs:label", text(f"project {project}")),
            ],
        )
    for thing in world.things:
        if thing.kind != "run" and thing.made_by is None:
            yield thing.key, [*about_thing(world, thing), *plain.get(thing.number, ())]
    for run in world.runs:
        yield world.things[run.thing].key, list(about_run(world, run))
    for change in world.changes:
        yield change.key, list(about_change(world, change))


def full(term: str) -> str:
    """A term as N-Triples wants it: prefixes written out."""
    if term[0] in '<"_':
        head, typed, kind = term.rpartition("^^")
        return f"{head}^^{full(kind)}" if typed and term[0] == '"' and kind.startswith("xsd:") else term
    prefix, _, name = term.partition(":")
    return f"<{NAMESPACES[prefix]}{name}>"


def write_ntriples(world: World, path: Path) -> int:
    """The whole world in one N-Triples file; returns how many statements."""
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for _, statements in documents(world):
            for statement in statements:
                file.write(" ".join(map(full, statement)) + " .\n")
            count += len(statements)
    return count


def write_turtle(world: World, folder: Path) -> int:
    """One Turtle document for each record, 1,000 to a sub-folder; returns how many statements."""
    head = "".join(f"@prefix {prefix}: <{address}> .\n" for prefix, address in NAMESPACES.items()) + "\n"
    count = 0
    for place, (name, statements) in enumerate(documents(world)):
        part = folder / f"{place // 1000:04d}"
        if place % 1000 == 0:
            part.mkdir(parents=True, exist_ok=True)
        lines = [f"{subject} {predicate} {value} .\n" for subject, predicate, value in statements]
        (part / f"{name}.ttl").write_text(head + "".join(lines), encoding="utf-8", newline="\n")
        count += len(statements)
    return count
