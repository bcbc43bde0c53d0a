"""Reading MLflow's metric files: one line a point, written while the training ran, so that the last one may be cut."""

# as in mlflow_files
# ruff: noqa: PTH123
from __future__ import annotations

import os

from headwater.importers.mlflow_files import Folder, decoded
from headwater.importers.mlflow_tracked import Dataset, Metric, Series
from headwater.records.draft import Finding

_LONGEST_LINE = 4096


def read_metrics(folder: Folder, path: str, findings: list[Finding], *, run_id: str, of_model: bool = False) -> list[Metric]:
    """The metrics beneath `path`; a name with slashes is a file in sub-folders. Bad lines are reported, once a file.

    A model's lines (`of_model`) name the run that measured them; points on a named data set are a metric of their own.
    """
    found: list[Metric] = []
    for name, file in folder.files(path, findings):
        found.extend(_read(folder, name, file, findings, run_id, of_model))
    return found


def _read(folder: Folder, name: str, path: str, findings: list[Finding], run_id: str, of_model: bool) -> list[Metric]:
    where = folder.where(path)
    series: dict[tuple[str, Dataset | None], Series] = {}
    bad, first_bad, number = 0, 0, 0
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > folder.max_bytes:
                what = f"{size} bytes are more than the {folder.max_bytes} that may be read; the metric was left out"
                findings.append(Finding("failed", "too-large", what, where))
                return []
            in_line = True
            while line := file.readline(_LONGEST_LINE):
                starts, in_line = in_line, line.endswith(b"\n")
                number += starts
                if starts and not line.strip():
                    continue
                point = parse_line(line, run_id, of_model) if starts else None
                if point is not None and (in_line or len(line) < _LONGEST_LINE):
                    key, (step, value, time) = point
                    try:
                        series.setdefault(key, Series()).add(step, value, time)
                        continue
                    except OverflowError:
                        pass
                if starts:
                    bad += 1
                    first_bad = first_bad or number
    except OSError as error:
        findings.append(Finding("failed", "unreadable-metric", str(error.strerror), where))
    if bad:
        columns = "time, value, step, run" if of_model else "time, value, step"
        what = f"{bad} of {number} lines are not '{columns}'; the others were read"
        findings.append(Finding("failed", "garbage-line", what, f"{where}:{first_bad}"))
    kept = [Metric(name, points.in_order(), run, dataset) for (run, dataset), points in series.items() if points]
    if not kept and not bad:
        findings.append(Finding("missing", "empty-metric", f"metric {name!r} has no value", where))
    return kept


def parse_line(
    line: bytes, run_id: str = "", of_model: bool = False
) -> tuple[tuple[str, Dataset | None], tuple[int, float, int]] | None:
    """One line as ((run, data set), (step, value, time)); None where it is no such line.

    `time value [step]`, then a model's run, then `name digest` of a data set; MLflow itself reads no data set name with blanks.

    >>> parse_line(b"1759334532972 0.9 3\\n", "r1")
    (('r1', None), (3, 0.9, 1759334532972))
    >>> parse_line(b"1759334532972 0.9 3 r7 digits test 77aab3c1", of_model=True)
    (('r7', ('digits test', '77aab3c1')), (3, 0.9, 1759334532972))
    """
    fields = line.strip().split(b" ")
    count = len(fields)
    if count < (4 if of_model else 2):
        return None
    try:
        time, value = int(fields[0]), float(fields[1])
        step = int(fields[2]) if count > 2 else 0
    except ValueError:
        return None
    rest = fields[3:]
    if of_model:
        run_id = decoded(rest[0])[0]
        rest = rest[1:]
    if not rest:
        return (run_id, None), (step, value, time)
    if len(rest) < 2:
        return None
    return (run_id, (decoded(b" ".join(rest[:-1]))[0], decoded(rest[-1])[0])), (step, value, time)
