"""The competency questions answered from the demonstration's own files: what a person would find who reads them, in plain Python.

Nothing here knows Headwater: the tracking folder is read as MLflow writes it (one small file for each parameter and metric), the
curators' documents as RDF. Things are called as the files call them: a run by its id, a data set `NAME-DIGEST`, a model `m-…`,
the rest by the last part of their IRI.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path

from pyoxigraph import Literal, RdfFormat, Triple, parse

Row = tuple[str, ...]
ROLES = {"training": "train", "validation": "validate", "testing": "test", "predict": "predict", "preprocess": "preprocess"}
OVER_90 = 0.9


@dataclass
class Run:
    """A run as its files tell it."""

    id: str
    began: str = ""
    ended: str = ""
    status: str = "finished"
    whole: str = ""
    who: set[str] = field(default_factory=set)
    uses: set[tuple[str, str]] = field(default_factory=set)  # thing, role
    made: set[str] = field(default_factory=set)
    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, str] = field(default_factory=dict)
    history: dict[str, list[tuple[int, float, int]]] = field(default_factory=dict)
    environment: set[str] = field(default_factory=set)
    tracked: bool = False  # by MLflow: a run of machine learning

    @property
    def used(self) -> set[str]:
        return {thing for thing, _ in self.uses}


def flat(path: Path) -> dict[str, str]:
    """A `meta.yaml` of MLflow as far as it is needed: keys and their plain values, also those one level down."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        key, colon, value = line.strip().partition(":")
        if colon and not line.startswith("   "):
            found[key] = value.strip().strip("'")
    return found


def files(folder: Path) -> Iterator[tuple[str, str]]:
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            yield path.name, path.read_text(encoding="utf-8").rstrip("\n")


def spelled(value: float) -> str:
    return f"{value:.6g}"


def moment(milliseconds: str) -> str:
    seconds, rest = divmod(int(milliseconds), 1000)
    # 2026-11-20 is day 20,777 of the era; all runs of the demonstration are of that day.
    day, second = divmod(seconds, 86_400)
    assert day == 20_777
    return f"2026-11-20T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{rest:03}".rstrip("0").rstrip(".") + "Z"


def name(iri: str) -> str:
    """What the files call the thing with this IRI."""
    last = iri.rstrip("/").rpartition("#" if "#" in iri else "/")[2]
    hashed = re.fullmatch(r".*/id/(?:agent/mlflow|model/mlflow-registered)-([\w-]+)-[0-9a-f]{12}", iri)
    return hashed[1] if hashed else re.sub(r"^(mlflow|git)-", "", last)


class Lab:
    """All that the files say, by plain relations."""

    def __init__(self, folder: Path) -> None:
        self.runs: dict[str, Run] = {}
        self.models: set[str] = set()
        self.registered: set[str] = set()
        self.data: set[str] = set()
        self.whole_data: set[str] = set()  # names of data sets without a digest
        self.software: dict[str, str] = {}
        self.instruments: set[str] = set()
        self.revises: set[tuple[str, str]] = set()  # later, earlier
        self.licences: dict[str, str] = {}
        self.deploys: set[tuple[str, str]] = set()
        self.reports: set[tuple[str, str]] = set()
        self.changed: set[tuple[str, str]] = set()
        (experiment,) = (path for path in (folder / "mlruns").iterdir() if (path / "datasets").is_dir())
        self._tracked(experiment)
        self._registry(folder / "mlruns" / "models")
        for path in sorted(folder.glob("*.ttl")):
            self._document([quad.triple for quad in parse(path.read_bytes(), format=RdfFormat.TURTLE)])

    # --- the tracking folder

    def _tracked(self, experiment: Path) -> None:
        sets = {}
        for folder in (experiment / "datasets").iterdir():
            meta = flat(folder / "meta.yaml")
            sets[folder.name] = f"{meta['name']}-{meta['digest']}"
        self.data |= set(sets.values())
        self.whole_data |= {one.rpartition("-")[0] for one in sets.values()}
        for folder in sorted(experiment.iterdir()):
            if (folder / "meta.yaml").is_file() and (folder / "tags").is_dir():
                self._run(folder, sets)
        for folder in sorted((experiment / "models").iterdir()):
            self.models.add(folder.name)
            run = self.runs[flat(folder / "meta.yaml")["source_run_id"]]
            run.made.add(folder.name)
            run.environment.add((folder / "artifacts" / "requirements.txt").read_text(encoding="utf-8"))

    def _run(self, folder: Path, sets: dict[str, str]) -> None:
        meta, tags = flat(folder / "meta.yaml"), dict(files(folder / "tags"))
        run = self.runs[folder.name] = Run(folder.name, moment(meta["start_time"]), moment(meta["end_time"]), tracked=True)
        run.status = {"3": "finished", "4": "failed"}[meta["status"]]
        run.whole = tags.get("mlflow.parentRunId", "")
        run.who = {tags["mlflow.user"]}
        run.params = dict(files(folder / "params"))
        for metric, text in files(folder / "metrics"):
            lines = [line.split() for line in text.splitlines()]
            run.history[metric] = [(int(step), float(value), int(when)) for when, value, step, *_ in lines]
            run.metrics[metric] = spelled(max(run.history[metric], key=lambda point: (point[0], point[2]))[1])
        for path in sorted((folder / "inputs").glob("*/meta.yaml")):
            said = flat(path)
            if said["source_type"] == "DATASET":
                data = sets[said["source_id"]]
                role = tags.get(f"headwater.role.{data.rpartition('-')[0]}", ROLES[said["mlflow.data.context"]])
                run.uses.add((data, role))
            else:
                run.uses.add((said["source_id"], tags.get(f"headwater.input.{said['source_id']}", "predict")))
        for tag, value in tags.items():
            _, _, what = tag.partition("headwater.")
            kind, _, thing = what.partition(".")
            if kind == "output":
                written = f"{thing}-{value.removeprefix('dataset:')}"
                run.made.add(written)
                self.data.add(written)
                self.whole_data.add(thing)
            if kind == "revision_of":
                self._revised(run, thing, value)
        commit = tags["mlflow.source.git.commit"]
        self.software[commit] = commit
        run.uses.add((commit, "execute"))

    def _revised(self, run: Run, thing: str, digest: str) -> None:
        written = {one for one in run.made if one.rpartition("-")[0] == thing}
        mine = written or {one for one in run.used if one.rpartition("-")[0] == thing}
        self.revises |= {(one, f"{thing}-{digest}") for one in mine}

    def _registry(self, folder: Path) -> None:
        for model in sorted(folder.iterdir()):
            self.registered.add(model.name)
            versions = sorted(model.glob("version-*/meta.yaml"))
            ids = [flat(path)["model_id"] for path in versions]
            self.revises |= set(zip(ids[1:], ids, strict=False))

    # --- the curators' documents

    def _document(self, triples: list[Triple]) -> None:
        said: dict[str, dict[str, list[str]]] = {}
        for triple in triples:
            subject = str(triple.subject) if str(triple.subject).startswith("_:") else name(triple.subject.value)  # type: ignore[union-attr]
            value = triple.object
            told = value.value if isinstance(value, Literal) else str(value) if str(value).startswith("_:") else name(value.value)  # type: ignore[union-attr]
            said.setdefault(subject, {}).setdefault(name(triple.predicate.value), []).append(told)
        for thing, facts in said.items():
            kinds = set(facts.get("type", ()))
            if "Run" in kinds:
                run = self.runs[thing] = Run(
                    thing, "".join(facts.get("startedAtTime", ())), "".join(facts.get("endedAtTime", ()))
                )
                run.who = set(facts.get("wasAssociatedWith", ()))
                for usage in facts.get("qualifiedUsage", ()):
                    run.uses.add((said[usage]["entity"][0], said[usage]["hadRole"][0]))
                assert set(facts.get("used", ())) == run.used
            if "Dataset" in kinds:
                (self.data if thing not in self.whole_data else self.whole_data).add(thing)
            if "Software" in kinds:
                self.software[thing] = facts["version"][0]
            if "Instrument" in kinds:
                self.instruments.add(thing)
            for run_id in facts.get("wasGeneratedBy", ()):
                self.runs[run_id].made.add(thing)
            self.revises |= {(thing, earlier) for earlier in facts.get("wasRevisionOf", ())}
            for licence in facts.get("license", ()):
                self.licences[thing] = licence
            self.deploys |= {(thing, model) for model in facts.get("deploys", ())}
            self.reports |= {(thing, what) for what in facts.get("documents", ())}
            self.changed |= {(thing, what) for what in facts.get("changedObject", ())}

    # --- what follows from it

    @cached_property
    def maker(self) -> dict[str, str]:
        return {thing: run.id for run in self.runs.values() for thing in run.made}

    def made_models(self, *, tracked: bool = False) -> list[tuple[str, Run]]:
        runs = {model: self.runs[self.maker[model]] for model in sorted(self.models)}
        return [(model, run) for model, run in runs.items() if run.tracked or not tracked]

    def inputs(self, run: Run) -> set[str]:
        """The data sets that a run used."""
        return run.used & self.data

    def upstream(self, thing: str) -> set[str]:
        """All that a thing was made from, however far."""
        found: set[str] = set()
        todo = [thing]
        while todo:
            run = self.maker.get(todo.pop())
            for earlier in (self.runs[run].used if run else set()) - found:
                found.add(earlier)
                todo.append(earlier)
        return found


def answers(lab: Lab) -> dict[str, Callable[[list[Run]], set[Row]]]:
    """For each question how a set of runs answers it: all of them in PROV-O, those of machine learning in ML-Schema and MEX."""
    made = lab.made_models
    tracked = {one for run in lab.runs.values() if run.tracked for one in run.used | run.made}

    def of_model(run_rows: Callable[[Run], set[Row]]) -> Callable[[list[Run]], set[Row]]:
        return lambda runs: {(model, *row) for model, run in made() if run in runs for row in run_rows(run)}

    def of_run(run_rows: Callable[[Run], set[Row]]) -> Callable[[list[Run]], set[Row]]:
        return lambda runs: {(run.id, *row) for run in runs for row in run_rows(run)}

    def data(run: Run) -> set[Row]:
        return {(one,) for one in lab.inputs(run)}

    def in_role(role: str) -> Callable[[Run], set[Row]]:
        return lambda run: {(thing,) for thing, played in run.uses if played == role and thing in lab.data}

    def metrics(run: Run) -> set[Row]:
        return set(run.metrics.items())

    def params(run: Run) -> set[Row]:
        return set(run.params.items())

    def users_of(runs: list[Run]) -> dict[str, list[Run]]:
        return {one: [run for run in runs if one in run.used] for one in lab.data}

    def tested(runs: list[Run]) -> set[Row]:
        by_others = {
            (model, one)
            for run in runs
            for model, role in run.uses
            if role == "test" and model in lab.models
            for (one,) in in_role("test")(run)
        }
        return of_model(in_role("test"))(runs) | by_others

    def best(runs: list[Run]) -> set[Row]:
        reached: dict[Row, float] = {}
        for run in runs:
            for one, (metric, value) in product(lab.inputs(run), run.metrics.items()):
                reached[one, metric] = max(reached.get((one, metric), float("-inf")), float(value))
        return {(*of, spelled(value)) for of, value in reached.items()}

    def means(runs: list[Run]) -> set[Row]:
        found = set()
        for metric in {metric for run in runs for metric in run.history}:
            measured = [run for run in runs if metric in run.metrics]
            values = [max(run.history[metric], key=lambda point: (point[0], point[2]))[1] for run in measured]
            told = (sum(values) / len(values), min(values), max(values))
            found.add((metric, *map(spelled, told), str(len(measured))))
        return found

    def brought(runs: list[Run]) -> set[Row]:
        users = users_of(runs)
        pairs = {(later, one) for later, one in lab.revises if {later, one} <= lab.data}
        return {
            (one, later, metric, old.metrics[metric], new.metrics[metric])
            for later, one in pairs
            for old, new in product(users[one], users[later])
            for metric in old.metrics.keys() & new.metrics.keys()
        }

    def counted(runs: list[Run], least: int) -> set[Row]:
        return {(one, str(len(users))) for one, users in users_of(runs).items() if len(users) >= least}

    def varying(runs: list[Run]) -> set[Row]:
        values: dict[str, set[str]] = {}
        for run in runs:
            for setting, value in run.params.items():
                values.setdefault(setting, set()).add(value)
        return {(setting, str(len(found))) for setting, found in values.items() if len(found) > 1}

    def papers(_runs: list[Run]) -> set[Row]:
        of_runs = {
            (paper, model) for paper, what in lab.reports if what in lab.runs for model in lab.runs[what].made & lab.models
        }
        return {(paper, model) for paper, model in lab.reports if model in lab.models} | of_runs

    def software(run: Run) -> set[Row]:
        return {(one, lab.software[one]) for one in run.used & lab.software.keys()}

    def environments(runs: list[Run]) -> set[Row]:
        # Called by the runs that share it, because its name in Headwater is a digest.
        shared = {text: " ".join(sorted(r.id for r in runs if text in r.environment)) for run in runs for text in run.environment}
        return {(run.id, shared[text]) for run in runs for text in run.environment}

    def tuned(runs: list[Run]) -> set[Row]:
        return {
            (model, base, metric, lab.runs[lab.maker[base]].metrics[metric], value)
            for model, run in made()
            if run in runs
            for base, role in run.uses
            if role in ("finetune", "pretrain") and base in lab.models
            for metric, value in run.metrics.items()
            if metric in lab.runs[lab.maker[base]].metrics
        }

    def wholes(runs: list[Run]) -> set[Row]:
        kept = lab.data | lab.models
        inward = {(run.id, "in", thing) for run in runs if not run.whole for thing in run.used & kept}
        return inward | {(run.id, "out", thing) for run in runs if not run.whole for thing in run.made & kept}

    return {
        "did-this-run-succeed": lambda runs: {(run.id, run.status) for run in runs if run.tracked},
        "did-tuning-make-the-model-better": tuned,
        "how-much-energy-did-it-take": lambda _: set(),  # nothing measured it
        "what-went-in-and-came-out-of-the-whole": wholes,
        "which-code-made-this-model": of_model(
            lambda run: {(one, lab.software[one]) for one, role in run.uses if role == "execute" and one in lab.software}
        ),
        "which-papers-report-on-data": lambda _: {(paper, one) for paper, one in lab.reports if one in lab.data},
        "from-metric-back-to-data": lambda runs: {
            (m, v, run.id, one) for run in runs for (m, v), one in product(metrics(run), lab.inputs(run))
        },
        "how-accurate-is-each-model": of_model(lambda run: {(v,) for m, v in metrics(run) if m == "accuracy"}),
        "how-did-training-go-on": of_run(lambda run: {(m, str(sorted(h))) for m, h in run.history.items() if len(h) > 1}),
        "how-do-runs-on-the-same-data-compare": lambda runs: {
            (one, m, v, run.id) for run in runs for one, (m, v) in product(lab.inputs(run), metrics(run))
        },
        "how-do-settings-bear-on-a-metric": lambda runs: {
            (*p, *m, run.id) for run in runs for p, m in product(params(run), metrics(run))
        },
        "how-good-is-this-model": of_model(metrics),
        "how-many-runs-made-models": lambda runs: {
            (run.id, str(len(run.made & lab.models))) for run in runs if run.made & lab.models
        },
        "how-was-this-model-trained": of_model(params),
        "how-were-the-data-curated": of_run(lambda run: set(product(lab.inputs(run), run.made & lab.data))),
        "in-which-environment-did-this-run-go": environments,
        "is-there-a-split-of-train-and-test-data": lambda runs: {
            (run.id,) for run in runs if in_role("train")(run) and in_role("test")(run)
        },
        "of-which-whole-is-this-run-a-step": lambda runs: {(run.id, run.whole) for run in runs if run.whole},
        "on-which-data-was-this-model-trained": of_model(data),
        "under-which-licence-are-the-data-of-this-model": of_model(
            lambda run: {(one, lab.licences[one]) for one in lab.inputs(run) if one in lab.licences}
        ),
        "was-a-model-tested-on-its-training-data": of_run(lambda run: in_role("train")(run) & in_role("test")(run)),
        "what-changed-upstream-of-this-model": lambda _: {
            (m, change, one) for m in lab.models for change, one in lab.changed if one in lab.upstream(m)
        },
        "what-did-a-revision-of-data-bring": brought,
        "what-did-this-run-measure": of_run(metrics),
        "what-does-it-take-to-repeat-this-run": of_run(
            lambda run: {(one, *p) for one, p in product(lab.inputs(run), params(run))}
        ),
        "what-is-the-mean-of-a-metric": means,
        "what-was-reached-on-this-data": best,
        "when-did-this-run-take-place": lambda runs: {(run.id, run.began, run.ended) for run in runs if run.began and run.ended},
        "where-do-the-data-behind-a-model-come-from": lambda _: {
            (model, one) for model in lab.models for one in lab.upstream(model) & lab.data
        },
        "which-algorithm-did-this-run-use": lambda _: set(),  # MLflow does not say; a parameter called so is a setting
        "which-data-are-used-most": lambda runs: counted(runs, 1),
        "which-data-did-nobody-use": lambda runs: {
            (one,)
            for one, users in users_of(runs).items()
            if not users and (one in tracked or not all(run.tracked for run in runs))
        },
        "which-data-did-this-run-use": of_run(data),
        "which-data-tested-this-model": tested,
        "which-data-trained-this-model": of_model(in_role("train")),
        "which-digests-do-the-inputs-have": of_run(
            lambda run: {(one, f"mlflow:{one.rpartition('-')[2]}") for one in lab.inputs(run) if one[-8:].isalnum()}
        ),
        "which-instruments-are-behind-this-model": lambda _: {
            (model, one) for model in lab.models for one in lab.upstream(model) & lab.instruments
        },
        "which-model-was-this-one-tuned-from": of_model(
            lambda run: {(one,) for one, role in run.uses if role in ("finetune", "pretrain") and one in lab.models}
        ),
        "which-models-are-at-work": lambda _: lab.deploys,
        "which-models-depend-on-this-data": lambda _: {
            (one, model) for model in lab.models for one in lab.upstream(model) & lab.data
        },
        "which-models-have-no-data": lambda _: (
            {(m,) for m in lab.registered} | {(m,) for m, run in made() if not lab.inputs(run)}
        ),
        "which-models-rest-on-superseded-data": of_model(
            lambda run: {(one, later) for later, one in lab.revises if one in lab.inputs(run)}
        ),
        "which-models-share-data": lambda runs: {(one, model) for model, run in made() if run in runs for one in lab.inputs(run)},
        "which-papers-report-on-models": papers,
        "which-revisions-does-this-data-have": lambda _: {(later, one) for later, one in lab.revises if one in lab.data},
        "which-run-made-this-model": of_model(lambda run: {(run.id,)}),
        "which-runs-did-not-finish": lambda runs: {
            (run.id, run.status, one) for run in runs if run.status != "finished" for one in lab.inputs(run) or [""]
        },
        "which-runs-exceed-an-accuracy": lambda runs: {
            (run.id, v) for run in runs for m, v in metrics(run) if m == "accuracy" and float(v) >= OVER_90
        },
        "which-runs-measured-nothing": lambda runs: {(run.id,) for run in runs if not run.metrics},
        "which-runs-share-data": lambda runs: counted(runs, 2),
        "which-runs-used-a-setting-value": lambda runs: {(*p, run.id) for run in runs for p in params(run)},
        "which-settings-vary": varying,
        "which-software-did-this-run-use": of_run(software),
        "which-steps-prepared-learning-data": lambda runs: {
            (lab.maker[one], one, run.id) for run in runs for (one,) in in_role("train")(run) if one in lab.maker
        },
        "which-workflow-did-this-run-follow": lambda _: set(),  # no file names a plan
        "who-is-responsible-for-this-run": of_run(lambda run: {(who,) for who in run.who}),
        "whose-model-is-this": of_model(lambda run: {(who,) for who in run.who}),
        "with-which-settings-did-this-run-go": of_run(params),
    }
