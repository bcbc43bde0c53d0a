"""Who benefits from a thing: what is downstream by role, what its revisions bought, who took them up, whose credit it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import numpy as np
from pyoxigraph import Literal, NamedNode

from headwater.app.belonging import together
from headwater.app.naming import Names
from headwater.app.notices import known
from headwater.app.run_records import RunRecords
from headwater.app.sight import Sight
from headwater.lineage.answer import Setting, lineage_answer
from headwater.lineage.asking import Traversal
from headwater.lineage.benefits import MOST_CONFOUNDED, RunFacts, Stage, Step, steps_bought
from headwater.lineage.credit import shares
from headwater.lineage.effort import Effort, effort
from headwater.lineage.families import made_by, users_of, versions_of
from headwater.lineage.graph import LineageGraph
from headwater.lineage.uptake import uptakes
from headwater.store.protocol import TripleStore
from headwater.terms.names import HW, MLS, RDF

MOST_LISTED = 50
"""Things of one list that are named; all are counted."""
CREDITED = ("publication", "deployment", "model")
_LISTED_FIRST = ("deployment", "publication", "model", "dataset", "run")
_STRONG = ("sha256:", "sha384:", "sha512:", "blake2", "blake3")
_NO_INPUT = ("responsible", "generate", "inform")


class Benefiting:
    """Answers to who benefits from a thing, for one reader."""

    def __init__(self, store: TripleStore, names: Names, setting: Callable[[Sight, int], Setting]) -> None:
        self._store = store
        self._names = names
        self._setting = setting

    def benefits(self, iri: str, sight: Sight, asked: Traversal, sequence: int) -> dict[str, Any]:
        lineage = sight.lineage
        root = known(iri, lineage)
        family = together(root, sight, self._store)
        body = lineage_answer(lineage, sight.full, root, asked, self._setting(sight, sequence), family=sorted(family))
        body["query"] |= {"ask": "benefits", "direction": "downstream", "id": iri}
        outside = self.outside(family, lineage, asked)
        bought, confounded = self.bought(revision_steps(family, lineage), sight)
        by_kind, credited = self.credit(family, outside, sight)
        body["summary"] |= {
            "by_role": self.by_role(family, lineage, asked),
            "pairs": {"comparable": compared(bought), "confounded": len(confounded)},
            "credit": by_kind,
        }
        body |= {
            "steps": [self._named(step, sight) for step in bought],
            "confounded": confounded[:MOST_CONFOUNDED],
            "uptake": self.uptake(family, root, sight),
            "credit": credited,
            "compute": self.compute(outside, sight).as_dict(),
        }
        return body

    @staticmethod
    def outside(family: frozenset[int], lineage: LineageGraph, asked: Traversal) -> list[int]:
        """All that is downstream of a family and not in it."""
        reached = lineage.downstream(sorted(family), asked.limits(lineage.words)).nodes.tolist()
        return [node for node in reached if node not in family]

    def compute(self, nodes: Sequence[int], sight: Sight) -> Effort:
        """The time and energy that went into the runs among `nodes`; of one that was still going then, nothing is known."""
        records = RunRecords(self._names, sight)
        lineage = sight.lineage
        runs = [node for node in nodes if lineage.kind_name(node) == "run"]
        going = {run for run in runs if lineage.as_of is not None and lineage.end[run] > lineage.as_of}
        return effort(
            runs,
            lambda run: None if run in going else records.hours(run),
            lambda run: None if run in going else records.kwh(run),
            records.parents,
        )

    def bought(
        self, steps: Sequence[Step], sight: Sight, *, role: str | None = None
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """What revision steps bought, from comparable pairs (in one `role`, where given), and the pairs that differ in more."""
        lineage = sight.lineage
        facts: dict[int, RunFacts] = {}

        def stages(revision: str) -> list[Stage]:
            found = self._stages(lineage.ids[revision], sight, facts)
            return [stage for stage in found if role is None or role in (stage.role, _preparing(stage, revision))]

        return steps_bought(steps, stages, lineage.words.better)

    def _named(self, step: dict[str, Any], sight: Sight) -> dict[str, Any]:
        labels = self._names.labels([step["from"], step["to"]], sight.graphs)
        return step | {"from_label": labels[step["from"]], "to_label": labels[step["to"]]}

    @staticmethod
    def by_role(family: frozenset[int], lineage: LineageGraph, asked: Traversal) -> dict[str, int]:
        """How many things follow the family directly, by the role that it played, over the links that the question counts."""
        edges = lineage.down.edges_of(np.array(sorted(family), np.int32))
        usable = asked.limits(lineage.words).edge_mask(lineage)
        edges = edges if usable is None else edges[usable[edges]]
        pairs = {
            (int(lineage.later[edge]), lineage.words.roles[int(lineage.role[edge])].name)
            for edge in edges.tolist()
            if int(lineage.later[edge]) not in family
        }
        return dict(sorted(Counter(role for _, role in pairs).items()))

    def uptake(self, family: frozenset[int], root: int, sight: Sight) -> list[dict[str, Any]]:
        """How much rests on each revision, and who is still on an older one (counted in full, named up to a number)."""
        lineage = sight.lineage
        chain = lineage.later_revisions()
        revised = {node for node in chain if node in family} | {later for node in chain for later in chain[node]} & family
        whole = lineage.kind_name(root) == "project"
        rows = sorted(revised if whole else family, key=lambda node: lineage.iris[node])
        told, anything = uptakes(lineage, family, rows)
        found = []
        for one in told:
            if versions_of(one.revision, lineage) and not one.users:
                continue
            iri = lineage.iris[one.revision]
            found.append(
                {
                    "revision": iri,
                    "label": self._names.labels([iri], sight.graphs)[iri],
                    "latest": one.latest,
                    "users": len(one.users),
                    "by_kind": kinds(one.users, lineage),
                    "models": sum(1 for node in one.reached if lineage.kind_name(node) == "model"),
                    "downstream": len(one.reached),
                    "share": len(one.reached) / anything if anything else None,
                    "still": self.listed(one.still, sight),
                    "moved_on": len(one.moved),
                }
            )
        return found

    def listed(self, nodes: Sequence[int], sight: Sight, most: int = MOST_LISTED) -> dict[str, Any]:
        """How many things there are, by kind, and the first of them by name: what is at work or in print before what is not."""
        lineage = sight.lineage

        def rank(node: int) -> tuple[int, str]:
            kind = lineage.kind_name(node)
            return _LISTED_FIRST.index(kind) if kind in _LISTED_FIRST else len(_LISTED_FIRST), lineage.iris[node]

        shown = self._names.things(sorted(nodes, key=rank)[:most], lineage, sight.graphs)
        return {
            "count": len(nodes),
            "by_kind": kinds(nodes, lineage),
            "things": [{"id": thing.iri, "kind": thing.kind, "label": thing.label} for thing in shown],
        }

    def credit(
        self, family: frozenset[int], outside: Sequence[int], sight: Sight
    ) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
        """The family's shares of the results in `outside`: for each kind how many there are and the sum over all of them; and the
        largest by name, papers and deployments before models. A name that only gathers versions is no result."""
        lineage = sight.lineage
        share = shares(lineage, family)
        results = [node for node in outside if lineage.kind_name(node) in CREDITED and not versions_of(node, lineage)]
        by_kind: dict[str, dict[str, Any]] = {}
        for node in results:
            row = by_kind.setdefault(lineage.kind_name(node), {"results": 0, "sum": 0.0})
            row["results"] += 1
            row["sum"] += float(share[node])
        results.sort(key=lambda node: (lineage.kind_name(node) == "model", -round(float(share[node]), 9), lineage.iris[node]))
        credited = [
            {"id": thing.iri, "kind": thing.kind, "label": thing.label, "share": round(float(share[lineage.ids[thing.iri]]), 4)}
            for thing in self._names.things(results[:MOST_LISTED], lineage, sight.graphs)
        ]
        return (
            {kind: row | {"sum": round(row["sum"], 4)} for kind, row in sorted(by_kind.items())},
            sorted(credited, key=lambda row: (-row["share"], row["label"], row["id"])),
        )

    def _stages(self, revision: int, sight: Sight, facts: dict[int, RunFacts]) -> list[Stage]:
        """The runs with metrics that used a revision, directly or through one preparing run."""
        lineage = sight.lineage
        found = []
        for run, role in users_of(revision, lineage):
            told = self._facts(run, sight, facts)
            if told.metrics:
                found.append(Stage(told, role, told.iri))
            for product in made_by(run, lineage, "dataset"):
                for user, product_role in users_of(product, lineage):
                    using = self._facts(user, sight, facts)
                    if using.metrics and user != run:
                        found.append(Stage(using, product_role, lineage.iris[product], preparation=told))
        return found

    def _facts(self, run: int, sight: Sight, facts: dict[int, RunFacts]) -> RunFacts:
        if run not in facts:
            facts[run] = self._read_facts(run, sight)
        return facts[run]

    def _read_facts(self, run: int, sight: Sight) -> RunFacts:
        lineage = sight.lineage
        iri = lineage.iris[run]
        inputs: dict[str, set[str]] = {}
        slices: dict[tuple[str, str], set[str]] = {}
        for edge in lineage.up.edges_of(np.array([run], np.int32)).tolist():
            role = lineage.words.roles[int(lineage.role[edge])].name
            if role not in _NO_INPUT:
                used = lineage.iris[int(lineage.earlier[edge])]
                inputs.setdefault(role, set()).add(used)
                if lineage.slices[int(lineage.slice[edge])]:
                    slices.setdefault((role, used), set()).add(lineage.slices[int(lineage.slice[edge])])
        settings: dict[str, str] = {}
        status = ""
        measured: list[tuple[str, float, str | None]] = []
        for triple in dict.fromkeys(sight.about(NamedNode(iri))):
            if triple.predicate in (MLS.hasInput, MLS.hasOutput) and isinstance(triple.object, NamedNode):
                self._read_detail(triple.object, sight, settings, measured)
            elif triple.predicate == HW.status and isinstance(triple.object, Literal):
                status = triple.object.value
        values: dict[tuple[str, str | None], set[float]] = {}
        for name, value, on in measured:
            values.setdefault((name, on), set()).add(value)
        yardsticks = sorted({on for _, on in values if on is not None})
        labels = self._names.labels([iri, *yardsticks], sight.graphs)
        return RunFacts(
            iri=iri,
            label=labels[iri],
            inputs={role: frozenset(things) for role, things in inputs.items()},
            settings=settings,
            # Several values under one name (one per model, say) cannot be told apart here, so none of them is compared.
            metrics={key: found.pop() for key, found in values.items() if len(found) == 1},
            status=status,
            names={on: labels[on] for on in yardsticks},
            contents=self._contents({*yardsticks, *(used for things in inputs.values() for used in things)}, sight),
            slices={key: frozenset(parts) for key, parts in slices.items()},
        )

    @staticmethod
    def _contents(things: Collection[str], sight: Sight) -> dict[str, str]:
        """The digest of each thing's content, where exactly one that proves it is recorded."""
        found = {}
        for iri in sorted(things):
            said = sight.about(NamedNode(iri))
            digests = {t.object.value for t in said if t.predicate == HW.digest and isinstance(t.object, Literal)}
            # A tracker's own short digest is no proof that two data sets are the same.
            strong = {digest for digest in digests if digest.startswith(_STRONG)}
            if len(strong) == 1:
                found[iri] = strong.pop()
        return found

    def _read_detail(
        self, node: NamedNode, sight: Sight, settings: dict[str, str], measured: list[tuple[str, float, str | None]]
    ) -> None:
        values: dict[NamedNode, list[NamedNode | Literal]] = {}
        for triple in sight.about(node):
            if isinstance(triple.object, NamedNode | Literal):
                values.setdefault(triple.predicate, []).append(triple.object)
        specified, value = values.get(MLS.specifiedBy), values.get(MLS.hasValue)
        if not specified or not value:
            return
        name = self._names.labels([specified[0].value], sight.graphs)[specified[0].value]
        if MLS.HyperParameterSetting in values.get(RDF.type, []):
            settings[name] = value[0].value
            return
        try:
            measured.append((name, float(value[0].value), next((on.value for on in values.get(HW.measuredOn, [])), None)))
        except ValueError:
            return


def _preparing(stage: Stage, revision: str) -> str | None:
    """The role in which a revision went into the preparation of what a run used."""
    if stage.preparation is None:
        return None
    return next((role for role, things in sorted(stage.preparation.inputs.items()) if revision in things), None)


def revision_steps(family: Iterable[int], lineage: LineageGraph) -> list[Step]:
    """The revision steps within a family, by node id of the earlier one."""
    inside = frozenset(family)
    return [
        Step(lineage.iris[earlier], lineage.iris[later])
        for earlier in sorted(inside)
        for later in lineage.later_revisions().get(earlier, ())
        if later in inside
    ]


def compared(steps: Iterable[dict[str, Any]]) -> int:
    """How many pairs of runs the steps rest on, each counted once however many metrics it has."""
    return len({(pair["from_run"], pair["to_run"], step["from"]) for step in steps for pair in step["pairs"]})


def kinds(nodes: Iterable[int], lineage: LineageGraph) -> dict[str, int]:
    """How many of `nodes` there are of each kind."""
    return dict(sorted(Counter(lineage.kind_name(node) for node in nodes).items()))
