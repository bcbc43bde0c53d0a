"""The two questions put to the graph: which change is meant, which runs are compared, and the answer for one reader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from pyoxigraph import Literal, NamedNode

from headwater.app.naming import Names
from headwater.errors import BadParameter
from headwater.lineage.answer import Setting, impact_answer, lineage_answer
from headwater.lineage.asking import Traversal
from headwater.lineage.benefits import RunFacts, Stage, Step, steps_bought
from headwater.lineage.credit import shares
from headwater.lineage.graph import LineageGraph
from headwater.lineage.slices import read_slice
from headwater.lineage.verdict import SEVERITIES, STATES, Change, Verdicts, judge, revisions_after
from headwater.records.links import slice_json
from headwater.store.protocol import TripleStore
from headwater.terms.names import HW, MLS, PROV, RDF
from headwater.terms.vocabulary import vocabulary

_MOST_CREDITED = 50
_COMPARED = (
    "train",
    "finetune",
    "pretrain",
    "validate",
    "test",
    "label",
    "preprocess",
    "calibrate",
    "execute",
    "configure",
    "use",
)
_NO_INPUT = ("responsible", "generate", "inform")


@dataclass(frozen=True, slots=True)
class Sight:
    """What one reader sees: the graphs for the store, his lineage, and the whole lineage to count what he does not see."""

    graphs: tuple[NamedNode, ...]
    lineage: LineageGraph
    full: LineageGraph


@dataclass(frozen=True, slots=True)
class Notice:
    """An announced change: its IRI, what it says, and when."""

    iri: str
    change: Change
    objects: tuple[str, ...]
    at: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What an announced change does to one thing; `resolved_by` is a node id, `itself` whether the thing is what changed."""

    notice: Notice
    state: str
    severity: str
    effect: str
    justification: str
    resolved_by: int | None
    itself: bool


class Answerer:
    """Answers for readers. Keeps verdicts on announced changes as long as the graph stays the same."""

    def __init__(
        self, store: TripleStore, names: Names, clock: Callable[[], str], links: Callable[[str, LineageGraph], dict[str, str]]
    ) -> None:
        self._store = store
        self._names = names
        self._clock = clock
        self._links = links
        # Graphs are made anew after each write; what was judged on one goes with it.
        self._judged: WeakKeyDictionary[LineageGraph, dict[str, Verdicts]] = WeakKeyDictionary()

    def _setting(self, sight: Sight, sequence: int) -> Setting:
        return Setting(
            labels=lambda iris: self._names.labels(iris, sight.graphs),
            links=lambda iri: self._links(iri, sight.lineage),
            sequence=sequence,
            now=self._clock(),
        )

    # --- lineage and impact

    def lineage(self, iri: str, sight: Sight, asked: Traversal, sequence: int) -> dict[str, Any]:
        root = _node(iri, sight.lineage)
        return lineage_answer(sight.lineage, sight.full, root, asked, self._setting(sight, sequence))

    def impact(
        self, iri: str, sight: Sight, asked: Traversal, sequence: int, change: str | None, slice: str | dict[str, Any] | None
    ) -> dict[str, Any]:
        meant = self.meant(iri, sight, change, slice)
        body = impact_answer(sight.lineage, sight.full, iri, meant, asked, self._setting(sight, sequence))
        body["query"]["id"] = iri
        return body

    def meant(self, iri: str, sight: Sight, change: str | None, slice: str | dict[str, Any] | None) -> Change:
        """The change that a question means: an announced one, or one that is supposed to happen to an object."""
        kinds = vocabulary().changes
        if change is not None and change not in kinds:
            raise BadParameter(f"change: '{change}' is none of {', '.join(sorted(kinds))}", parameter="change")
        own = self.notice(iri, sight)
        if own is not None:
            if change is not None or slice is not None:
                raise BadParameter(f"<{iri}> is a change itself; change= and slice= are for supposing one.", parameter="change")
            return own.change
        node = sight.lineage.find(iri)
        versions = [] if node is None else [sight.lineage.iris[version] for version in _versions(node, sight.lineage)]
        announced = [notice for notice in self.notices(sight) if not {iri, *versions}.isdisjoint(notice.objects)]
        if change is None:
            if len(announced) == 1 and slice is None:
                return announced[0].change
            told = ", ".join(notice.iri for notice in announced) or "none is announced for it"
            raise BadParameter(
                f"Which change of <{iri}> is meant? ({told})",
                parameter="change",
                remedy=f"Name a change, or suppose one with change= and one of: {', '.join(sorted(kinds))}.",
            )
        node = _node(iri, sight.lineage)
        mended = {m for notice in announced if notice.change.kind == change for m in notice.change.mended}
        sound = mended | revisions_after(sight.lineage, mended)
        objects = [node, *(version for version in _versions(node, sight.lineage) if version not in sound)]
        return Change(change, tuple(objects), tuple(sorted(mended)), read_slice(slice) if slice else "")

    def notice(self, iri: str, sight: Sight) -> Notice | None:
        """The announced change that `iri` is, if it is one."""
        values: dict[NamedNode, list[NamedNode | Literal]] = {}
        for triple in self._store.about(NamedNode(iri), sight.graphs):
            if isinstance(triple.object, NamedNode | Literal):
                values.setdefault(triple.predicate, []).append(triple.object)
        if HW.Change not in values.get(RDF.type, []):
            return None
        kinds = [value.value.rpartition("#")[2] for value in values.get(HW.changeKind, [])]
        objects = sorted({value.value for value in values.get(HW.changedObject, [])})
        revisions = sorted({value.value for value in values.get(HW.fromRevision, [])})
        mended = sorted({value.value for value in values.get(HW.toRevision, [])})
        lineage = sight.lineage
        seeds: list[int] = []
        for name in revisions or objects:
            node = lineage.find(name)
            if node is not None:
                seeds += [node] if revisions else [node, *_versions(node, lineage)]
        fixed = [node for node in (lineage.find(name) for name in mended) if node is not None]
        sound = {*fixed, *revisions_after(lineage, fixed)} - {lineage.find(name) for name in revisions}
        seeds = [node for node in dict.fromkeys(seeds) if node not in sound]
        if not kinds or not seeds:
            return None
        parts = {value for value in values.get(HW.slice, []) if isinstance(value, NamedNode)}
        # Of several slices nobody knows how they add up: the whole counts.
        slice_node = parts.pop() if len(parts) == 1 else None
        at = next((value.value for value in values.get(PROV.atTime, [])), None)
        change = Change(kinds[0], tuple(seeds), tuple(fixed), self._slice(slice_node, sight))
        return Notice(iri, change, tuple(dict.fromkeys([*objects, *revisions])), at)

    def _slice(self, node: NamedNode | None, sight: Sight) -> str:
        if node is None:
            return ""
        details: dict[str, list[NamedNode | Literal]] = {}
        for triple in dict.fromkeys(self._store.about(node, sight.graphs)):
            if isinstance(triple.object, NamedNode | Literal):
                details.setdefault(triple.predicate.value, []).append(triple.object)
        return slice_json(details)

    def notices(self, sight: Sight) -> list[Notice]:
        """All announced changes that the reader may see, the latest first."""
        found = {
            triple.subject.value: None
            for triple in self._store.about(HW.Change, sight.graphs, as_object=True)
            if triple.predicate == RDF.type and isinstance(triple.subject, NamedNode)
        }
        notices = [notice for notice in (self.notice(iri, sight) for iri in found) if notice is not None]
        return sorted(notices, key=lambda notice: (notice.at or "", notice.iri), reverse=True)

    def standing(self, iri: str, sight: Sight) -> list[Standing]:
        """What every announced change that reaches `iri` does to it."""
        node = sight.lineage.find(iri)
        if node is None:
            return []
        found = []
        for notice in self.notices(sight):
            own = _of(self._verdicts(notice, sight.lineage), node, notice)
            if sight.full is not sight.lineage and (own is None or own.state == "not_affected"):
                whole = _of(self._verdicts(notice, sight.full), node, notice)
                if whole is not None and whole.state in ("affected", "cannot_tell"):
                    # The fault comes by a way that this reader may not see: no comfort, and nothing named.
                    own = Standing(notice, "cannot_tell", "major", "", "hidden-path", None, itself=False)
            if own is not None:
                found.append(own)
        return found

    def _verdicts(self, notice: Notice, lineage: LineageGraph) -> Verdicts:
        if notice.iri not in (judged := self._judged.setdefault(lineage, {})):
            judged[notice.iri] = judge(lineage, notice.change)
        return judged[notice.iri]

    # --- benefit

    def benefits(self, iri: str, sight: Sight, asked: Traversal, sequence: int) -> dict[str, Any]:
        lineage = sight.lineage
        root = _node(iri, lineage)
        family = _family(root, lineage)
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
        facts: dict[int, RunFacts] = {}

        def stages(revision: str) -> list[Stage]:
            return self._stages(lineage.ids[revision], sight, facts)

        bought, confounded = steps_bought(steps, stages, lineage.words.better)
        body |= {
            "steps": [self._named(step, sight) for step in bought],
            "confounded": confounded,
            "uptake": self._uptake(family, sight),
            "credit": self._credit(family, outside, sight),
        }
        return body

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
            if _versions(revision, lineage) and not users:
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
        outside = [node for node in outside if not _versions(node, lineage)]
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
        for run, role in _users(revision, lineage):
            told = self._facts(run, sight, facts)
            if told.metrics:
                found.append(Stage(told, role, told.iri))
            for product in _made(run, lineage, "dataset"):
                for user, product_role in _users(product, lineage):
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
        for triple in dict.fromkeys(self._store.about(NamedNode(iri), sight.graphs)):
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
        for triple in self._store.about(node, sight.graphs):
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


def _of(verdicts: Verdicts, node: int, notice: Notice) -> Standing | None:
    places = np.flatnonzero(verdicts.nodes == node)
    if not len(places):
        return None
    here = int(places[0])
    itself = node in verdicts.seeds
    return Standing(
        notice=notice,
        state=STATES[int(verdicts.state[here])],
        severity=SEVERITIES[int(verdicts.severity[here])],
        effect=verdicts.book.effects[int(verdicts.effect[here])].name,
        justification=verdicts.justification(node),
        resolved_by=next(iter(notice.change.mended), None) if itself else verdicts.resolved_by.get(node),
        itself=itself,
    )


def _node(iri: str, lineage: LineageGraph) -> int:
    node = lineage.find(iri)
    if node is None:
        raise BadParameter(
            f"<{iri}> is known, but takes no part in any lineage.",
            remedy="Ask about a data set, model, run, software or other object.",
        )
    return node


def _versions(node: int, lineage: LineageGraph) -> list[int]:
    """The versions gathered under a concept."""
    edges = lineage.up.edges_of(np.array([node], np.int32))
    return sorted(set(lineage.earlier[edges[lineage.role[edges] == lineage.role_of["specialise"]]].tolist()))


def _family(node: int, lineage: LineageGraph) -> frozenset[int]:
    """A thing with all its revisions and versions: by revision links both ways and through a shared concept."""
    related = [lineage.role_of["revise"], lineage.role_of["specialise"]]
    seen, todo = {node}, [node]
    while todo:
        here = np.array([todo.pop()], np.int32)
        for side, far in ((lineage.up, lineage.earlier), (lineage.down, lineage.later)):
            edges = side.edges_of(here)
            for other in far[edges[np.isin(lineage.role[edges], related)]].tolist():
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
    return frozenset(seen)


def _users(thing: int, lineage: LineageGraph) -> list[tuple[int, str]]:
    edges = lineage.down.edges_of(np.array([thing], np.int32)).tolist()
    found = {
        (int(lineage.later[edge]), lineage.words.roles[int(lineage.role[edge])].name)
        for edge in edges
        if lineage.kind_name(int(lineage.later[edge])) == "run"
    }
    return sorted(pair for pair in found if pair[1] in _COMPARED)


def _made(run: int, lineage: LineageGraph, kind: str) -> list[int]:
    edges = lineage.down.edges_of(np.array([run], np.int32))
    made = lineage.later[edges[lineage.role[edges] == lineage.role_of["generate"]]].tolist()
    return sorted({thing for thing in made if lineage.kind_name(thing) == kind})


__all__ = ["STATES", "Answerer", "Notice", "Sight"]
