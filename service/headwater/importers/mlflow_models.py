"""Writing down what MLflow knows besides runs: experiments, logged models, and the registry with its numbered versions."""

from __future__ import annotations

from collections.abc import Mapping

from pyoxigraph import Literal, NamedNode

from headwater.importers.mlflow_measures import measured_elsewhere
from headwater.importers.mlflow_names import Names
from headwater.importers.mlflow_times import moment
from headwater.importers.mlflow_tracked import Environment, Experiment, LoggedModel, PackagedModel, RegisteredModel, TrackedStore
from headwater.records.draft import Draft, Finding
from headwater.records.facts import Facts
from headwater.terms.minting import Mint
from headwater.terms.names import DCTERMS, HW, PROV

_NOTE = "mlflow.note.content"
_LONGEST_TAG = 8000
"""MLflow's own limit for a tag; what is longer was not written by MLflow."""
_MOST_REQUIREMENTS = 500


def tags(
    facts: Facts, node: NamedNode, values: Mapping[str, str], mapped: frozenset[str], findings: list[Finding], where: str
) -> None:
    """The tags that no other statement carries, as `hw:tag "key=value"`; MLflow's note becomes the description."""
    for key, value in values.items():
        if key == _NOTE:
            facts.text(node, DCTERMS.description, value)
        elif key in mapped:
            continue
        elif len(value) > _LONGEST_TAG:
            what = f"tag {key} has {len(value)} characters; more than {_LONGEST_TAG} are not kept"
            findings.append(Finding("unmapped", "tag-too-long", what, f"{where}/tags/{key}"))
        else:
            facts.say(node, HW.tag, Literal(f"{key}={value}"))


def environment(facts: Facts, found: Environment) -> NamedNode:
    """The environment that a model's files describe, named by their content: the same files are the same environment."""
    lines = [line.strip() for name, text in found.files if name == "requirements.txt" for line in text.splitlines()]
    needed = [line for line in lines if line and not line.startswith(("#", "-"))]
    node = facts.thing("environment", f"mlflow-{found.digest[:16]}", label=f"Python environment {found.digest[:8]}")
    facts.digest(node, "sha256", found.digest)
    for line in needed[:_MOST_REQUIREMENTS]:
        facts.say(node, HW.requires, Literal(line))
    return node


def packaged(facts: Facts, model: NamedNode, found: PackagedModel) -> None:
    """What an `MLmodel` file adds to a model: its flavours (the libraries that can load it)."""
    for flavor in found.flavors:
        facts.say(model, HW.flavor, Literal(flavor))


def model_label(name: str | None, run: str | None) -> str:
    """What a model is called: its own name, unless that is the `model` of every example, and the run's then.

    >>> model_label("digits-v2", "train-v2"), model_label("model", "train-v2")
    ('digits-v2', 'model of train-v2')
    """
    return f"{name or 'model'} of {run}" if run and name in (None, "", "model") else name or "model"


def logged_model(
    facts: Facts,
    names: Names,
    model: LoggedModel,
    findings: list[Finding],
    run_ids: frozenset[str],
    run_params: Mapping[str, str],
    run: str | None = None,
) -> NamedNode:
    """A model of MLflow 3; `run` is the name of its run, `run_ids` are the runs in the store.

    Parameters are said of the model only where its run has them otherwise.
    """
    node = facts.thing("model", names.logged_model(model.model_id), label=model_label(model.name, run))
    facts.identifier(node, f"mlflow:{model.model_id}")
    facts.text(node, HW.location, model.location)
    facts.text(node, HW.modelType, model.model_type)
    if model.status not in (None, "ready"):
        facts.say(node, HW.tag, Literal(f"mlflow.status={model.status}"))
    if model.deleted:
        facts.text(node, HW.lifecycle, "deleted")
    at = moment(model.created, "creation", findings, model.where)
    if at is not None:
        facts.say(node, PROV.generatedAtTime, at)
    for key, value in model.params.items():
        if run_params.get(key) != value:
            facts.say(node, HW.parameter, Literal(f"{key}={value}"))
    tags(facts, node, model.tags, _TAGS_OF_THE_RUN, findings, model.where)
    if model.packaged is not None:
        packaged(facts, node, model.packaged)
    findings.extend(model.findings)
    measured_elsewhere(facts, names, node, model, run_ids, findings)
    return node


_TAGS_OF_THE_RUN = frozenset(
    {"mlflow.user", "mlflow.source.name", "mlflow.source.type", "mlflow.source.git.commit", "mlflow.source.git.repoURL"}
)
"""Tags that MLflow copies from the run to each of its models; the run says them."""


def experiment_draft(experiment: Experiment, mint: Mint) -> Draft:
    """An experiment: a project that its runs are part of."""
    facts, findings = Facts(mint), list(experiment.findings)
    label = experiment.name or f"experiment {experiment.experiment_id}"
    node = facts.thing("project", f"mlflow-experiment-{experiment.key}", label=label)
    facts.identifier(node, f"mlflow-experiment:{experiment.experiment_id}")
    facts.text(node, HW.location, experiment.location)
    if experiment.deleted:
        facts.text(node, HW.lifecycle, "deleted")
    at = moment(experiment.created, "creation", findings, experiment.where)
    if at is not None:
        facts.say(node, DCTERMS.created, at)
    tags(facts, node, experiment.tags, frozenset(), findings, experiment.where)
    iri = mint.record(f"mlflow-experiment-{experiment.key}")
    return Draft(iri, experiment.where, f"MLflow experiment {label}", facts.triples, findings)


def registered_draft(model: RegisteredModel, store: TrackedStore, names: Names, mint: Mint) -> Draft:
    """A registered model: one concept, and its versions as the models that runs made, each a revision of the one before."""
    facts, findings = Facts(mint), list(model.findings)
    key = names.registered(model.name)
    concept = facts.thing("model", key, label=model.name)
    facts.text(concept, DCTERMS.description, model.description)
    at = moment(model.created, "creation", findings, model.where)
    if at is not None:
        facts.say(concept, DCTERMS.created, at)
    tags(facts, concept, model.tags, frozenset(), findings, model.where)
    if not model.versions:
        findings.append(Finding("missing", "no-versions", f"the registered model {model.name!r} has no version", model.where))
    earlier: NamedNode | None = None
    for version in model.versions:
        version_key, resolved = names.version(model, version)
        node = facts.thing("model", version_key)
        if not resolved:
            facts.text(node, DCTERMS["title"], f"{model.name} version {version.version}")
            what = f"version {version.version} does not say which model of which run it is"
            findings.append(Finding("missing", "unresolved-version", what, version.where))
        facts.version(node, str(version.version))
        facts.say(node, PROV.specializationOf, concept)
        facts.identifier(node, f"mlflow-registered:{model.name}/{version.version}")
        facts.text(node, HW.location, None if (version.source or "").startswith(("models:", "runs:")) else version.source)
        facts.text(node, HW.stage, None if version.stage in (None, "None") else version.stage)
        for alias in version.aliases:
            facts.text(node, HW.alias, alias)
        facts.text(node, DCTERMS.description, version.description)
        registered = moment(version.created, "registration", findings, version.where)
        if registered is not None:
            facts.say(node, DCTERMS.dateSubmitted, registered)
        tags(facts, node, version.tags, frozenset(), findings, version.where)
        if version.run_id is not None:
            facts.generated(facts.thing("run", names.run(version.run_id)), node)
            if version.run_id not in store.run_ids:
                what = f"version {version.version} points at run {version.run_id}, which is not in the store"
                findings.append(Finding("missing", "absent-run", what, version.where))
        if resolved:
            if earlier is not None and earlier != node:
                facts.say(node, PROV.wasRevisionOf, earlier)
            earlier = node
    return Draft(mint.record(key), model.where, f"MLflow registered model {model.name}", facts.triples, findings)


def orphan_draft(model: LoggedModel, store: TrackedStore, names: Names, mint: Mint) -> Draft:
    """A logged model whose run is not in the store: it has a record of its own, and what was measured of it stands there."""
    facts = Facts(mint)
    findings: list[Finding] = []
    node = logged_model(facts, names, model, findings, store.run_ids, {})
    what = f"the run {model.source_run_id} that made the model is not in the store" if model.source_run_id else "it names no run"
    findings.append(Finding("missing", "absent-run", what, model.where))
    if model.source_run_id is not None:
        facts.generated(facts.thing("run", names.run(model.source_run_id)), node)
    iri = mint.record(f"mlflow-model-{model.model_id}")
    return Draft(iri, model.where, f"MLflow model {model.name or model.model_id}", facts.triples, findings)
