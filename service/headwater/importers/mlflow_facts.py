"""Writing down one tracked run in Headwater's model: what it used and in which role, what it made, who, when, and the result."""

from __future__ import annotations

import json
from typing import Literal as OneOf
from typing import cast, get_args

from pyoxigraph import Literal, NamedNode

from headwater.importers import energy, mlflow_conventions, mlflow_parameters
from headwater.importers.mlflow_code import software
from headwater.importers.mlflow_measures import Measured, measures
from headwater.importers.mlflow_models import environment, logged_model, model_label, packaged, tags
from headwater.importers.mlflow_names import Names
from headwater.importers.mlflow_times import moment
from headwater.importers.mlflow_tracked import DatasetInput, Experiment, LoggedModel, TrackedRun, TrackedStore
from headwater.records.draft import Draft, Finding
from headwater.records.facts import Evidence, Facts
from headwater.terms.minting import Mint
from headwater.terms.names import DCTERMS, HW, PROV, RDF

Status = OneOf["finished", "failed", "running", "killed", "scheduled"]

_CONTEXT_ROLES = {
    "training": "train",
    "train": "train",
    "validation": "validate",
    "valid": "validate",
    "val": "validate",
    "eval": "validate",
    "evaluation": "validate",
    "testing": "test",
    "test": "test",
}
"""What a run said that a data set was for (`mlflow.log_input(..., context=)`), as a role."""

_MAPPED_TAGS = frozenset(
    {
        "mlflow.runName",
        "mlflow.user",
        "mlflow.source.name",
        "mlflow.source.git.commit",
        "mlflow.source.git.repoURL",
        "mlflow.gitRepoURL",
        "mlflow.project.entryPoint",
        "mlflow.parentRunId",
        "mlflow.log-model.history",
    }
)
_UNNAMED = "dataset"
"""The name that MLflow gives to a data set whose author gave none."""

_LONGEST_SCHEMA = 65_536


class RunWriter:
    """Turns tracked runs into drafts, knowing what else is in their store."""

    def __init__(self, store: TrackedStore, names: Names, mint: Mint) -> None:
        self._store = store
        self._names = names
        self._mint = mint
        self._experiments = {experiment.experiment_id: experiment for experiment in store.experiments}
        self._made: dict[str, list[LoggedModel]] = {}
        self._measured: dict[str, list[Measured]] = {}
        for model in store.models.values():
            if model.source_run_id is not None:
                self._made.setdefault(model.source_run_id, []).append(model)
            for metric in model.metrics:
                self._measured.setdefault(metric.run_id, []).append((metric, model.model_id))

    def draft(self, run: TrackedRun) -> Draft:
        """The record of one run."""
        facts = Facts(self._mint)
        return _Writing(facts, run, self._names, self._store).draft(
            self._experiments.get(run.experiment_id), self._made.get(run.run_id, []), self._measured.get(run.run_id, [])
        )


class _Writing:
    """The record of one run while it is written."""

    def __init__(self, facts: Facts, run: TrackedRun, names: Names, store: TrackedStore) -> None:
        self.facts = facts
        self.run = run
        self.names = names
        self.store = store
        self.findings = list(run.findings)
        self.label = run.tags.get("mlflow.runName") or run.name or f"run {run.run_id[:8]}"
        self.node = facts.thing("run", names.run(run.run_id), label=self.label)
        self.said = mlflow_conventions.said(run.tags, self.findings, run.where)
        self.roles = dict(self.said.roles)
        self.datasets: dict[str, dict[str, NamedNode]] = {}
        self.made: dict[str, NamedNode] = {}
        self.used: dict[str, NamedNode] = {}

    def draft(self, experiment: Experiment | None, models: list[LoggedModel], measured: list[Measured]) -> Draft:
        run, facts = self.run, self.facts
        facts.identifier(self.node, f"mlflow:{run.run_id}")
        self._life()
        self._place(experiment)
        software(facts, self.node, run, self.names, self.findings)
        for dataset in run.datasets:
            self._dataset(dataset)
        self._models_made(models)
        self._models_used()
        self._written()
        self._named_by_parameters()
        self._revisions()
        self._left_over()
        for name, value in run.params.items():
            facts.setting(self.node, name, value)
        mapped = _MAPPED_TAGS | {key for key in run.tags if key.startswith(mlflow_conventions.PREFIX)}
        tags(facts, self.node, run.tags, mapped, self.findings, run.where)
        models_spoken_of = list(self.made.values()) or (list(self.used.values()) if len(self.used) == 1 else [])
        measures(facts, self.node, run, measured, models_spoken_of, self._model, self._measured_on, self.findings)
        self._energy()
        iri = facts.mint.record(f"mlflow-run-{run.run_id}")
        return Draft(iri, run.where, f"MLflow run {self.label}", facts.triples, self.findings)

    def _miss(self, reason: str, what: str) -> None:
        self.findings.append(Finding("missing", reason, what, self.run.where))

    def _life(self) -> None:
        run, facts = self.run, self.facts
        if run.status in get_args(Status):
            facts.status(self.node, cast(Status, run.status))
        else:
            self.findings.append(Finding("unmapped", "unknown-status", f"status {run.status!r}", run.where))
        start = moment(run.start, "start", self.findings, run.where)
        end = moment(run.end, "end", self.findings, run.where)
        if start is not None and end is not None and float(run.start or 0) > float(run.end or 0):
            what = f"the end ({end.value}) is before the start ({start.value}); the end was left out"
            self.findings.append(Finding("repaired", "end-before-start", what, run.where))
            end = None
        facts.span(self.node, start, end)
        if run.start is None:
            self._miss("no-start-time", "the run has no start time")
        if run.end is None and run.status == "running":
            self._miss("never-ended", "the run is marked as running and has no end; it may have been abandoned")
        elif run.end is None and run.status != "scheduled":
            self._miss("no-end-time", f"the run is {run.status} but has no end time")
        user = run.tags.get("mlflow.user") or run.user
        if user:
            facts.agent(self.node, self.names.local(user), user)
        else:
            self._miss("no-user", "the run does not say who ran it")
        if run.deleted:
            facts.text(self.node, HW.lifecycle, "deleted")

    def _energy(self) -> None:
        used = energy.of_metrics((metric.name, metric.series.in_order()) for metric in self.run.metrics)
        if used is not None:
            self.facts.energy(self.node, used)

    def _place(self, experiment: Experiment | None) -> None:
        run, facts = self.run, self.facts
        if experiment is not None:
            facts.say(self.node, DCTERMS.isPartOf, facts.thing("project", f"mlflow-experiment-{experiment.key}"))
        parent = run.tags.get("mlflow.parentRunId")
        if parent:
            facts.say(self.node, DCTERMS.isPartOf, facts.thing("run", self.names.run(parent)))
            if parent not in self.store.run_ids:
                self._miss("absent-parent", f"the parent run {parent} is not in the store")
        facts.text(self.node, HW.location, run.artifact_uri)

    def _use(self, thing: NamedNode, name: str, role: str | None, evidence: Evidence | None = None) -> None:
        """A use in the role that the source gives, unless a tag says another for this name."""
        role = self.said.roles.get(name, role)
        self.roles.pop(name, None)
        self.facts.used(self.node, thing, role=role, evidence=evidence)

    def _dataset_node(self, name: str, digest: str) -> NamedNode:
        facts = self.facts
        known = self.datasets.setdefault(name, {})
        if digest not in known:
            node = known[digest] = facts.thing("dataset", self.names.dataset(name, digest), label=f"{name} {digest}")
            facts.version(node, digest)
            facts.digest(node, "mlflow", digest)
            if name == _UNNAMED:
                self._miss(
                    "unnamed-dataset", "a data set was logged without a name, so its versions cannot be told from other data"
                )
            else:
                facts.say(node, PROV.specializationOf, facts.thing("dataset", self.names.dataset_concept(name), label=name))
        return known[digest]

    def _dataset(self, dataset: DatasetInput) -> None:
        facts, run = self.facts, self.run
        node = self._dataset_node(dataset.name, dataset.digest)
        facts.text(node, HW.location, _location(dataset.source))
        for predicate, text in ((HW.schema, dataset.schema), (HW.profile, dataset.profile)):
            if text and len(text) <= _LONGEST_SCHEMA:
                facts.text(node, predicate, text)
            elif text:
                what = f"{len(text)} characters of schema or profile of {dataset.name} were left out"
                self.findings.append(Finding("unmapped", "long-schema", what, run.where))
        for key, value in dataset.tags:
            facts.say(node, HW.tag, Literal(f"{key}={value}"))
        role = _CONTEXT_ROLES.get((dataset.context or "").strip().lower())
        if role is None and dataset.name not in self.said.roles:
            if dataset.context:
                what = f"context {dataset.context!r} of data set {dataset.name} is no role; the use has none"
                self.findings.append(Finding("unmapped", "context", what, run.where))
            else:
                self._miss("no-context", f"the use of data set {dataset.name} does not say what for")
        self._use(node, dataset.name, role)

    def _model(self, model_id: str) -> NamedNode:
        return self.facts.thing("model", self.names.logged_model(model_id))

    def _models_made(self, models: list[LoggedModel]) -> None:
        facts, run = self.facts, self.run
        for model in models:
            node = logged_model(facts, self.names, model, self.findings, self.store.run_ids, run.params, self.label)
            facts.generated(self.node, node)
            self.made[model.model_id] = node
        for model_id, step in run.model_outputs:
            if model_id not in self.made:
                self.made[model_id] = self._model(model_id)
                facts.identifier(self.made[model_id], f"mlflow:{model_id}")
                facts.generated(self.node, self.made[model_id])
                if model_id not in self.store.models:
                    self._miss("absent-model", f"the model {model_id} that the run made is not in the store")
            if step:
                facts.say(self.made[model_id], HW.step, Literal(step))
        for found in run.packaged:
            if found.model_id is not None:
                node = self.made.get(found.model_id) or self._model(found.model_id)
            else:
                node = facts.thing(
                    "model", self.names.packaged_model(run.run_id, found.path), label=model_label(found.path, self.label)
                )
                facts.identifier(node, f"mlflow:{run.run_id}/{found.path}")
            self.made[found.model_id or found.path] = node
            facts.generated(self.node, node)
            packaged(facts, node, found)
        environments = [m.packaged.environment for m in models if m.packaged] + [found.environment for found in run.packaged]
        known = {found.digest: found for found in environments if found is not None}
        for found_environment in known.values():
            facts.used(self.node, environment(facts, found_environment), role="configure")
        if self.made and not known:
            self._miss("no-environment", "no file that names the environment of the run's model is in the store")

    def _models_used(self) -> None:
        for model_id in self.run.model_inputs:
            node = self.used[model_id] = self._model(model_id)
            self.facts.identifier(node, f"mlflow:{model_id}")
            self._use(node, model_id, self.said.inputs.get(model_id, "predict"))
        for reference, role in self.said.inputs.items():
            if reference in self.used:
                continue
            key = self.names.referred_model(reference)
            if key is None:
                what = f"headwater.input.{reference} names no model id and no registered version of this store"
                self.findings.append(Finding("unmapped", "headwater-tag", what, self.run.where))
                continue
            node = self.used[reference] = self.facts.thing("model", key)
            self._use(node, reference, role, "declared")

    def _written(self) -> None:
        for name, digest in self.said.outputs.items():
            self.facts.generated(self.node, self._dataset_node(name, digest))

    def _named_by_parameters(self) -> None:
        run, facts = self.run, self.facts
        logged = {text for dataset in run.datasets for text in (dataset.name, dataset.source) if text}
        inferred = 0
        for named in mlflow_parameters.named_inputs(run.params, self.findings, run.where):
            if named.name in logged:
                continue
            key = self.names.referred_model(named.name) if named.kind == "model" else None
            if key is None:
                key = self.names.parameter(named.name)
                thing = facts.thing(named.kind, key, label=named.name)
            else:
                thing = facts.thing(named.kind, key)
            self._use(thing, named.name, named.role, "inferred")
            inferred += 1
        if not run.datasets:
            beside = f"; {inferred} were inferred from parameters" if inferred else ""
            self._miss("no-dataset-inputs", f"the run logged no data set as its input{beside}")
        for name in mlflow_parameters.named_outputs(run.params, self.findings, run.where):
            if run.status != "finished":
                self._miss("output-not-written", f"{name} is named as output, but the run is {run.status}")
                continue
            concept = facts.thing("dataset", self.names.parameter(name), label=name)
            node = facts.thing("dataset", self.names.parameter(name, run.run_id), label=f"{name} of run {run.run_id[:8]}")
            facts.say(node, PROV.specializationOf, concept)
            facts.generated(self.node, node)
            generation = NamedNode(f"{self.node.value}#generation-{node.value.rpartition('/')[2]}")
            facts.say(node, PROV.qualifiedGeneration, generation)
            facts.say(generation, RDF.type, PROV.Generation)
            facts.say(generation, PROV.activity, self.node)
            facts.say(generation, HW.evidence, HW.inferred)

    def _revisions(self) -> None:
        for name, digest in self.said.revisions.items():
            own = [known for known in self.datasets.get(name, {}) if known != digest]
            if len(own) != 1:
                what = f"headwater.revision_of.{name}: the run has {len(own)} other data sets of that name, not one"
                self.findings.append(Finding("unmapped", "headwater-tag", what, self.run.where))
                continue
            later = self.datasets[name][own[0]]
            self.facts.say(later, PROV.wasRevisionOf, self._dataset_node(name, digest))

    def _left_over(self) -> None:
        for name in self.roles:
            what = f"headwater.role.{name}: the run has no input of that name"
            self.findings.append(Finding("unmapped", "headwater-tag", what, self.run.where))

    def _measured_on(self, name: str, digest: str) -> NamedNode:
        new = digest not in self.datasets.get(name, {})
        node = self._dataset_node(name, digest)
        if new:
            self.facts.used(self.node, node)
        return node


def _location(source: str | None) -> str | None:
    """Where a data set is, out of the JSON that MLflow keeps about its source; the code that made it is no place."""
    try:
        told = json.loads(source or "null")
    except (ValueError, RecursionError):
        return source
    if not isinstance(told, dict):
        return source
    places = [told[key] for key in ("uri", "url", "path", "table_name", "delta_table_name") if isinstance(told.get(key), str)]
    if places:
        return str(places[0])
    return None if "tags" in told else source
