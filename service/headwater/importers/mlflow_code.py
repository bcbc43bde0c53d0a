"""Which code a run executed: a git commit where MLflow recorded one, else the name of a script, which pins nothing."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from pyoxigraph import NamedNode

from headwater.importers.mlflow_names import Names
from headwater.importers.mlflow_tracked import TrackedRun
from headwater.records.draft import Finding
from headwater.records.facts import Facts
from headwater.terms.minting import slug
from headwater.terms.names import HW, PROV

_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")
_KERNEL = re.compile(
    r"(?:ipykernel_launcher|colab_kernel_launcher|ipykernel/__main__)(?:\.py)?$|(?:^|/)(?:ipython3?|jupyter(?:-\w+)?)$"
)
"""What MLflow records as the script when the code ran in a notebook: it names the kernel, the same for everybody."""


def software(facts: Facts, node: NamedNode, run: TrackedRun, names: Names, findings: list[Finding]) -> None:
    """States what software the run executed, as far as its tags tell."""
    script = (run.tags.get("mlflow.source.name") or "").strip()
    entry = (run.tags.get("mlflow.project.entryPoint") or run.entry_point or "").strip()
    facts.text(node, HW.entryPoint, " ".join(part for part in (script, entry) if part))
    commit = (run.tags.get("mlflow.source.git.commit") or run.tags.get("git_commit") or "").strip()
    if _COMMIT.fullmatch(commit):
        _commit(facts, node, run, commit.lower())
        return
    if commit:
        what = f"{commit[:60]!r} is no git commit"
        findings.append(Finding("unmapped", "bad-commit", what, f"{run.where}/tags/mlflow.source.git.commit"))
    else:
        findings.append(Finding("missing", "no-git-commit", "the run does not say which commit of its code ran", run.where))
    if not script:
        return
    if _KERNEL.search(script.replace("\\", "/")):
        findings.append(
            Finding("missing", "unknown-notebook", f"the code ran in a notebook; MLflow only knows {script}", run.where)
        )
        return
    label = script.replace("\\", "/").rstrip("/").rpartition("/")[2] or script
    thing = facts.thing("software", f"mlflow-script-{names.local(script).removeprefix('mlflow-')}", label=label)
    facts.text(thing, HW.location, script)
    facts.used(node, thing, role="execute")


def _commit(facts: Facts, node: NamedNode, run: TrackedRun, commit: str) -> None:
    repository = without_secrets(run.tags.get("mlflow.source.git.repoURL") or run.tags.get("mlflow.gitRepoURL") or "")
    name = repository_name(repository)
    thing = facts.thing("software", f"git-{commit}", label=f"{name.rpartition('/')[2] or 'code'} at {commit[:10]}")
    facts.identifier(thing, f"git:{commit}")
    facts.version(thing, commit)
    if repository:
        facts.text(thing, HW.location, repository)
        concept = facts.thing("software", f"git-{slug(name)}", label=name)
        facts.say(thing, PROV.specializationOf, concept)
    facts.used(node, thing, role="execute")


def without_secrets(address: str) -> str:
    """A repository's address without user name and password: tokens in it must not be spread.

    >>> without_secrets("https://me:ghp_secret@github.com/a/b.git")
    'https://github.com/a/b.git'
    """
    address = address.strip()
    try:
        parts = urlsplit(address)
        if parts.scheme and "@" in parts.netloc and parts.scheme != "ssh":
            return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    except ValueError:
        return ""
    return address


def repository_name(address: str) -> str:
    """Host and path of a repository, the same for its HTTPS and its SSH address.

    >>> repository_name("git@github.com:a/b.git"), repository_name("https://github.com/a/b")
    ('github.com/a/b', 'github.com/a/b')
    """
    name = re.sub(r"^(?:\w+://)?(?:[^@/]*@)?", "", address.strip())
    name = re.sub(r"^([^/:]+):(?!\d+/)", r"\1/", name)
    return name.removesuffix("/").removesuffix(".git").strip("/")
