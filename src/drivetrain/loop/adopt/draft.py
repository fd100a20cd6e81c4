"""The draft: a ``project.py`` that loads, with what reading could not tell as TODO lines."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from drivetrain.loop.adopt.values import Read

TODO = "TODO"
_WIDE = 110


@dataclass(frozen=True)
class Feature:
    """A feature of the request.

    Attributes:
        name: Its name.
        code: The expression in Polars.
        todo: What is to be looked at.
    """

    name: str
    code: str
    todo: str = ""


@dataclass
class Plan:
    """What the draft says.

    Attributes:
        of: The file that was read.
        name: Of the project.
        reads: Sources, the first the one whose rows are labelled.
        types: Column → its type, of the first source.
        guessed: Columns whose type is a guess.
        features: The model's features.
        label: Expression of the label.
        label_todo: What is to be looked at there.
        key: Column that names a row.
        time: Column of the moment.
        trainer: Python of the trainer.
        metric: The metric.
        metric_todo: What is to be looked at there.
        split_todo: What the program did instead.
        told: What was found, for people.
        unknown: What could not be told.
    """

    of: str
    name: str
    reads: list[Read] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    guessed: set[str] = field(default_factory=set)
    features: list[Feature] = field(default_factory=list)
    label: str = ""
    label_name: str = "label"
    label_todo: str = ""
    key: str = ""
    time: str = ""
    trainer: str = "dt.LightGBM()"
    metric: str = "average_precision"
    metric_todo: str = ""
    split_todo: str = ""
    told: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def draft(plan: Plan) -> str:
    """The text of ``project.py``."""
    source = identifier(PurePosixPath(plan.reads[0].place).stem if plan.reads else "", "rows")
    model = identifier(plan.label_name, "answer")
    bound = "at_most" if plan.metric in {"log_loss", "brier", "ece"} else "at_least"
    lines = [
        f'"""Drafted by drivetrain adopt from {_plain(plan.of)}. Look at each {TODO} before the first run."""',
        "",
        "import polars as pl",
        "",
        "import drivetrain as dt",
        "",
        *_comments(plan.unknown),
        "project = dt.Project(",
        f"    {plan.name!r},",
        f'    objective="{TODO}: what the business wants of it, in a sentence",',
        f"    metric={plan.metric!r},{_todo(plan.metric_todo)}",
        ")",
        "",
        *_sources(plan, source),
        *_features(plan),
        "model = project.model(",
        f"    {model!r},",
        *_wrapped(f"label=dt.label({source}, {plan.label}),", plan.label_todo, 1),
        "    features=[given],",
        f"    trainer={plan.trainer},",
        *([f"    # {TODO}: {line}" for line in _folded(plan.split_todo)] if plan.split_todo else []),
        '    split=dt.TimeSplit(test="30d", valid="14d"),',
        f"    gates=[dt.Gate({plan.metric!r}, {bound}=0.5)],  # {TODO}: what it must reach before it may answer",
        ")",
        "",
        f"project.endpoint({model!r}, model=model)",
    ]
    return "\n".join(lines) + "\n"


def identifier(text: str, otherwise: str) -> str:
    """A name that Python takes.

    Example:
        >>> identifier("2013 flights.raw", "rows"), identifier("class", "rows")
        ('flights_raw', 'class_')
    """
    name = re.sub(r"\W+", "_", text).strip("_").lower()
    name = re.sub(r"^\d+_?", "", name)
    taken = {"project", "model", "dt", "pl", "given"}
    return f"{name}_" if keyword.iskeyword(name) or name in taken else name or otherwise


def _sources(plan: Plan, source: str) -> list[str]:
    lines = [
        f"{source} = project.source(",
        f"    {source!r},",
        *_reader(plan.reads[0] if plan.reads else None),
        f"    key={plan.key or 'id'!r},{_todo('' if plan.key else 'the column that names a row')}",
        f"    time={plan.time or 'time'!r},{_todo('' if plan.time else 'the column of the moment it is predicted')}",
        f"    # {TODO}: available=, the column that says when a row's answer became known: without it, at that moment",
        "    contract=dt.Contract(",
        "        {",
    ]
    columns = dict(plan.types)
    columns.setdefault(plan.key or "id", "string")
    columns.setdefault(plan.time or "time", "time")
    for name, kind in columns.items():
        guess = f"  # {TODO}: its type is a guess" if name in plan.guessed else ""
        need = ", nullable=False" if name in {plan.key or "id", plan.time or "time"} else ""
        lines.append(f"            {name!r}: dt.Column({kind!r}{need}),{guess}")
    lines += ["        }", "    ),", ")", ""]
    for read in plan.reads[1:]:
        lines.append(
            f"# {TODO}: the program reads {_plain(read.place or 'something')} too; declare it as a source of its own."
        )
    return lines + ([""] if len(plan.reads) > 1 else [])


def _reader(read: Read | None) -> list[str]:
    if read is None or not read.place:
        return [f'    dt.files("raw/*.csv"),  # {TODO}: where its rows are']
    if read.how == "sql":
        query = f", query={read.query!r}" if " " in read.query else f", table={read.query!r}" if read.query else ""
        return [f"    dt.sql({read.place!r}{query or ', table=' + repr('rows')}),  # {TODO}: its address; no password"]
    if read.how == "sklearn":
        return [f'    dt.files("raw/*.csv"),  # {TODO}: {_plain(read.place)}() gave them; keep them as a file']
    if read.how == "pickle" or "://" in read.place:
        why = (
            "a pickle can't be a source; keep its rows as Parquet"
            if read.how == "pickle"
            else f"fetch {_plain(read.place)}"
        )
        return [f'    dt.files("raw/*.parquet"),  # {TODO}: {why}']
    known = {
        ".csv",
        ".tsv",
        ".parquet",
        ".jsonl",
        ".ndjson",
        ".arrow",
        ".ipc",
        ".feather",
        ".xlsx",
        ".xls",
        ".gz",
        ".zst",
    }
    if PurePosixPath(read.place.lower()).suffix in known:
        return [f"    dt.files({read.place!r}),"]
    return [f'    dt.files({read.place!r}, format="csv"),  # {TODO}: its format']


def _features(plan: Plan) -> list[str]:
    fields = [name for name in plan.types if any(_reads(feature, name) for feature in plan.features)]
    inputs = {name: plan.types[name] for name in fields}
    lines = ["@project.request_features(", "    inputs={"]
    lines += [f"        {name!r}: {kind!r}," for name, kind in inputs.items()] or [
        f'        "value": "float",  # {TODO}'
    ]
    lines += ["    }", ")", "def given(request: pl.DataFrame) -> list[pl.Expr]:"]
    lines += ['    """The columns that the model reads, as they are in a request."""', "    return ["]
    for feature in plan.features:
        lines += _wrapped(f"{feature.code},", feature.todo, 2)
    if not plan.features:
        lines.append(f'        pl.col("value"),  # {TODO}: which columns the model reads')
    return [*lines, "    ]", "", ""]


def _reads(feature: Feature, name: str) -> bool:
    return f"pl.col({name!r})" in feature.code


def _wrapped(code: str, todo: str, depth: int) -> list[str]:
    """A line, with what is to be looked at before it where both do not fit."""
    indent = "    " * depth
    if not todo:
        return [indent + code]
    if len(indent + code) + len(todo) + 10 <= _WIDE and "\n" not in todo:
        return [f"{indent}{code}  # {TODO}: {_plain(todo)}"]
    return [*(f"{indent}# {line}" for line in _folded(f"{TODO}: {todo}")), indent + code]


def _todo(text: str) -> str:
    return f"  # {TODO}: {_plain(text)}" if text else ""


def _comments(notes: Iterable[str]) -> list[str]:
    lines = [f"# {line}" for note in notes for line in _folded(f"{TODO}: {note}")]
    return [*lines, ""] if lines else []


def _folded(text: str) -> list[str]:
    words, lines = _plain(text).split(" "), [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) + 1 > _WIDE - 4:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _plain(text: str) -> str:
    """On one line, and without what would end a docstring."""
    return (
        " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text).split())
        .replace('"""', "'''")
        .replace("\\", "/")
    )
