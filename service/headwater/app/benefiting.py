"""Who benefits from a thing: what is downstream by role, what its revisions bought, who took them up, whose credit it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from pyoxigraph import Literal, NamedNode

from headwater.app.naming import Names
from headwater.app.notices import known
from headwater.app.sight import Sight
from headwater.lineage.answer import Setting, lineage_answer
from headwater.lineage.asking import Traversal
from headwater.lineage.benefits import RunFacts, Stage, Step, steps_bought
from headwater.lineage.credit import shares
from headwater.lineage.families import family_of, made_by, users_of, versions_of
from headwater.lineage.graph import LineageGraph
from headwater.store.protocol import TripleStore
from headwater.terms.names import HW, MLS, RDF

_MOST_CREDITED = 50
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
        family = family_of(root, lineage)
        body = lineage_answer(lineage, sight.full, root, asked, self._setting(sight, sequence), family=sorted(family))
        body["query"] |= {"ask": "benefits", "direction": "downstream", "id": iri}
        outside = [
            node for node in lineage.downstream(sorted(family), asked.limits(lineage.words)).nodes.tolist() if node not in family
        ]
        body["summary"]["by_role"] = self._by_role(family, lineage)
        steps = [
            Step(lineage.iris[earlier], lineage.iris[later])
            for earlier in sorted(family)
            for later in lineage.later_revisions().get(earlier, ())
            if later in family
        ]
        bought, confounded = self.bought(steps, sight)
        body |= {
            "steps": [self._named(step, sight) for step in bought],
            "confounded": confounded,
            "uptake": self._uptake(family, sight),
            "credit": self._credit(family, outside, sight),
        }
        return body

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
    def _by_role(family: frozenset[int], lineage: LineageGraph) -> dict[str, int]:
        edges = lineage.down.edges_of(np.array(sorted(family), np.int32))
        pairs = {
            (int(lineage.later[edge]), lineage.words.roles[int(lineage.role[edge])].name)
            for edge in edges.tolist()
            if int(lineage.later[edge]) not in family
        }
        return dict(sorted(Counter(role for _, role in pairs).items()))

    def _uptake(self, family: frozenset[int], sight: Sight) -> list[dict[str, Any]]:
        lineage = sight.lineage
        carrying = ~np.isin(lineage.role, [lineage.role_of[name] for name in ("revise", "specialise", "responsible")])
        found = []
        for revision in sorted(family, key=lambda node: lineage.iris[node]):
            edges = lineage.down.edges_of(np.array([revision], np.int32))
            users = {
                int(lineage.later[edge])
                for edge in edges.tolist()
                if int(lineage.later[edge]) not in family
                and lineage.words.roles[int(lineage.role[edge])].name not in ("revise", "specialise")
            }
            if versions_of(revision, lineage) and not users:
                continue
            reached = lineage.walk(lineage.down, lineage.later, [revision], carrying, None, None).nodes.tolist()
            iri = lineage.iris[revision]
            found.append(
                {
                    "revision": iri,
                    "label": self._names.labels([iri], sight.graphs)[iri],
                    "latest": not lineage.later_revisions().get(revision),
                    "users": len(users),
                    "by_kind": dict(sorted(Counter(lineage.kind_name(node) for node in users).items())),
                    "models": sum(1 for node in reached if lineage.kind_name(node) == "model"),
                }
            )
        return found

    def _credit(self, family: frozenset[int], outside: Sequence[int], sight: Sight) -> list[dict[str, Any]]:
        lineage = sight.lineage
        outside = [node for node in outside if not versions_of(node, lineage)]
        results = [node for node in outside if lineage.kind_name(node) in ("publication", "deployment")]
        results += [node for node in outside if lineage.kind_name(node) == "model"]
        share = shares(lineage, family)
        credited = []
        for thing in self._names.things(results[:_MOST_CREDITED], lineage, sight.graphs):
            node = lineage.ids[thing.iri]
            credited.append({"id": thing.iri, "kind": thing.kind, "label": thing.label, "share": round(float(share[node]), 4)})
        return sorted(credited, key=lambda row: (-row["share"], row["label"], row["id"]))

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
        for edge in lineage.up.edges_of(np.array([run], np.int32)).tolist():
            role = lineage.words.roles[int(lineage.role[edge])].name
            if role not in _NO_INPUT:
                inputs.setdefault(role, set()).add(lineage.iris[int(lineage.earlier[edge])])
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
        )

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
