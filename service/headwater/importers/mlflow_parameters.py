"""Parameters that name what a run read or wrote (`data_path`, `dataset_name`, `base_model`): all that most runs say of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from headwater.records.draft import Finding

ROLE_WORDS: Final[dict[str, str]] = {
    "train": "train",
    "training": "train",
    "val": "validate",
    "valid": "validate",
    "validation": "validate",
    "eval": "validate",
    "evaluation": "validate",
    "dev": "validate",
    "test": "test",
    "testing": "test",
    "heldout": "test",
    "holdout": "test",
    "pretrain": "pretrain",
    "pretraining": "pretrain",
    "finetune": "finetune",
    "finetuning": "finetune",
    "calib": "calibrate",
    "calibration": "calibrate",
    "predict": "predict",
    "prediction": "predict",
    "inference": "predict",
}
"""Words at the beginning or the end of a parameter's name that tell the role of the data it names."""

DATASET_KEYS: Final = frozenset(
    """
    data dataset datasets data_set data_sets data_path data_paths data_file data_files data_dir data_folder
    data_root data_url data_uri data_source data_name data_csv dataset_name dataset_names dataset_path
    dataset_paths dataset_file dataset_dir dataset_id dataset_url dataset_uri dataset_source input_data
    input_dataset input_datasets input_file input_files input_path input_dir csv_path csv_file parquet_path
    corpus corpus_path
    """.split()  # noqa: SIM905  (a word a line would hide the rest of the file)
)
"""Names of parameters whose value names one or more data sets."""

DATASET_KEYS_WITH_ROLE: Final = frozenset(
    """
    path paths file files dir folder csv csvs set sets url uri images labels features x
    """.split()  # noqa: SIM905  (a word a line would hide the rest of the file)
)
"""Names that mean data only together with a word of `ROLE_WORDS`: `train_csv`, `test_file`."""

MODEL_KEYS: Final[dict[str, str | None]] = {
    "base_model": "finetune",
    "base_model_name": "finetune",
    "base_model_path": "finetune",
    "base_model_name_or_path": "finetune",
    "foundation_model": "finetune",
    "model_name_or_path": "finetune",
    "pretrained": "finetune",
    "pretrained_checkpoint": "finetune",
    "pretrained_model": "finetune",
    "pretrained_model_name": "finetune",
    "pretrained_model_name_or_path": "finetune",
    "pretrained_model_path": "finetune",
    "pretrained_path": "finetune",
    "pretrained_weights": "finetune",
    "checkpoint": None,
    "checkpoint_path": None,
    "ckpt": None,
    "ckpt_path": None,
    "init_checkpoint": None,
    "init_from": None,
    "init_weights": None,
    "load_checkpoint": None,
    "load_model": None,
    "model_uri": None,
    "parent_model": None,
    "resume_from": None,
    "resume_from_checkpoint": None,
    "teacher_model": None,
    "weights_path": None,
}
"""Names of parameters whose value names a model that the run started from, with the role where the name tells it."""

OUTPUT_KEYS: Final = frozenset(
    """
    out_file out_path outfile output output_csv output_data output_file output_path predictions_file
    predictions_path save_path
    """.split()  # noqa: SIM905  (a word a line would hide the rest of the file)
)
"""Names of parameters whose value, if it is a data file, names what the run wrote."""

OUTPUT_FOLDER_KEYS: Final = frozenset(
    """
    out_dir outdir output_dir output_folder results_dir save_dir
    """.split()  # noqa: SIM905  (a word a line would hide the rest of the file)
)
"""Names of parameters that name the folder where the run wrote: too wide to be one data set, so no link is made of it."""

INPUT_KEYS_BESIDE_OUTPUT: Final = frozenset({"results", "results_path", "results_file", "runs"})
"""Names that mean an input where the same run names its output elsewhere: a script that plots `results` into `outdir`."""

_DATA_FILE = re.compile(
    r"\.(?:arff|arrow|avro|csv|db|feather|fits|h5|hdf5|json|jsonl|mat|nc|ndjson|npy|npz|orc|parquet|root|sqlite|tfrecord|tsv|txt|xlsx?|zarr)"
    r"(?:\.(?:gz|bz2|xz|zst|zip))?$",
    re.IGNORECASE,
)
_NO_NAME = re.compile(r"(?i:[+-]?[\d.][\d.,_eE+-]*%?|true|false|none|null|nan|yes|no|auto|-+)|[{<].*|[^\w]*", re.DOTALL)
_PIECE = re.compile(r"\"([^\"]*)\"|'([^']*)'|([^\s,;\"']+)")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SPELLINGS = {
    "fine_tune": "finetune",
    "fine_tuning": "finetuning",
    "pre_train": "pretrain",
    "held_out": "heldout",
    "hold_out": "holdout",
}
_LONGEST_NAME = 500
_MOST_NAMES = 200


@dataclass(frozen=True, slots=True)
class NamedInput:
    """Something that a parameter's value names: of which `kind` (`dataset`, `model`), and in which role, where the key tells."""

    kind: str
    name: str
    role: str | None
    parameter: str


def named_inputs(params: Mapping[str, str], findings: list[Finding], where: str) -> list[NamedInput]:
    """The data sets and models that parameters name, each once, in the order of the parameters.

    >>> [(i.name, i.role) for i in named_inputs({"train_csv": "a.csv", "datasets": "'birds scene'", "lr": "0.1"}, [], "")]
    [('a.csv', 'train'), ('birds', None), ('scene', None)]
    """
    keys = {key: _plain(key) for key in params}
    names_output = any(plain in OUTPUT_KEYS or plain in OUTPUT_FOLDER_KEYS for plain in keys.values())
    found: dict[tuple[str, str, str | None], NamedInput] = {}
    for key, value in params.items():
        meaning = _meaning(keys[key], value, names_output)
        if meaning is None:
            continue
        kind, role, several = meaning
        names = split_names(value, several=several)
        if len(names) > _MOST_NAMES:
            what = f"{key} lists {len(names)} names; it was kept as a setting only"
            findings.append(Finding("unmapped", "long-list-of-inputs", what, f"{where}/params/{key}"))
            continue
        for name in names:
            if len(name) > _LONGEST_NAME or "\n" in name or _NO_NAME.fullmatch(name):
                continue
            found.setdefault((kind, name, role), NamedInput(kind, name, role, key))
    return list(found.values())


def named_outputs(params: Mapping[str, str], findings: list[Finding], where: str) -> list[str]:
    """The data files that parameters name as written by the run. A folder is reported, and no link is made of it.

    >>> named_outputs({"output": "metadata.tsv", "input": "raw.tsv"}, [], "")
    ['metadata.tsv']
    """
    found: dict[str, None] = {}
    for key, value in params.items():
        plain = _plain(key)
        if plain not in OUTPUT_KEYS and plain not in OUTPUT_FOLDER_KEYS:
            continue
        if plain in OUTPUT_KEYS and len(value) <= _LONGEST_NAME and "\n" not in value and _DATA_FILE.search(value.strip()):
            found[value.strip().strip("\"'")] = None
        elif not _NO_NAME.fullmatch(value.strip()):
            what = f"{key} names where the run wrote, not what: kept as a setting only"
            findings.append(Finding("unmapped", "output-folder", what, f"{where}/params/{key}"))
    return list(found)


def split_names(value: str, *, several: bool) -> list[str]:
    """The names in a parameter's value. `several`: the parameter's name is a plural, so that blanks and commas separate names.

    >>> split_names('"VirusGO flags"', several=True), split_names("my data.csv", several=False)
    (['VirusGO', 'flags'], ['my data.csv'])
    """
    text = value.strip()
    if text[:1] in "[(" and text[-1:] in "])" and len(text) < 100_000:
        try:
            listed = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            text = text[1:-1]
            several = True
        else:
            return [item.strip() for item in listed if isinstance(item, str)] if isinstance(listed, list | tuple) else []
    if len(text) > 1 and text[0] in "\"'" and text.endswith(text[0]) and text.count(text[0]) == 2:
        text = text[1:-1].strip()
    if several or len(_QUOTED.findall(text)) > 1:
        return [piece for match in _PIECE.finditer(text) if (piece := (match[1] or match[2] or match[3] or "").strip())]
    return [text] if text else []


def _meaning(key: str, value: str, names_output: bool) -> tuple[str, str | None, bool] | None:
    if key in MODEL_KEYS:
        return "model", MODEL_KEYS[key], False
    words = key.split("_")
    role, stem = None, key
    if words[0] in ROLE_WORDS:
        role, stem = ROLE_WORDS[words[0]], "_".join(words[1:])
    elif words[-1] in ROLE_WORDS:
        role, stem = ROLE_WORDS[words[-1]], "_".join(words[:-1])
    plural = stem.endswith("s") and stem not in {"corpus"}
    if stem in DATASET_KEYS or (names_output and role is None and stem in INPUT_KEYS_BESIDE_OUTPUT):
        return "dataset", role, plural
    if (
        role is not None
        and (stem in DATASET_KEYS_WITH_ROLE or not stem)
        and ("/" in value or "\\" in value or _DATA_FILE.search(value))
    ):
        return "dataset", role, plural
    return None


def _plain(key: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", _CAMEL.sub("_", key).lower()).strip("_")
    for written, meant in _SPELLINGS.items():
        plain = plain.replace(written, meant)
    return plain
