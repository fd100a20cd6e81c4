"""A project that reads texts: messages, of which some are unwanted."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from tests.loop.shop import free_port
from tests.train.text.messages import messages

from drivetrain.core.clock import DAY, MINUTE, datetime_of, micros_of

PROJECT = """
import polars as pl

import drivetrain as dt

project = dt.Project("sms", objective="Keep unwanted messages out", metric="roc_auc")
sms = project.source(
    "sms",
    dt.files("raw/*.csv"),
    key="id",
    time="at",
    contract=dt.Contract({"spam": dt.Column("int", nullable=False), "message": dt.Column("string", privacy="PRIVACY")}),
)


@project.request_features(inputs={"message": "string"})
def sms_text(request: pl.DataFrame) -> list[pl.Expr]:
    return [pl.col("message"), pl.col("message").str.count_matches(r"[0-9]").alias("digits")]


spam = project.model(
    "spam",
    label=dt.label(sms, pl.col("spam")),
    features=[sms_text],
    text=dt.Tfidf("sms_text.message", words=(1, 2), most=300),
    trainer=dt.TextLinear(),
    split=dt.TimeSplit(test="20d", valid="10d"),
    baselines={"the share": dt.Naive()},
    gates=[dt.Gate("roc_auc", at_least=0.9)],
)
project.endpoint("spam", model=spam)
"""


def make_sms(folder: Path, *, privacy: str = "internal", rows: int = 900) -> Path:
    """The project's files; nothing is run."""
    (folder / "raw").mkdir(parents=True)
    write_messages(folder / "raw" / "sms.csv", rows)
    (folder / "project.py").write_text(PROJECT.replace("PRIVACY", privacy))
    (folder / "drivetrain.toml").write_text(f"[serve]\nport = {free_port()}\n")
    return folder


def write_messages(path: Path, rows: int = 900) -> None:
    """Messages of a hundred days, one after the other."""
    texts, labels = messages(rows)
    begin = micros_of("2026-01-01")
    pl.DataFrame(
        {
            "id": [f"m{number:04d}" for number in range(rows)],
            "at": [datetime_of(begin + number * 100 * DAY // rows + MINUTE).isoformat() for number in range(rows)],
            "message": texts,
            "spam": labels.astype(int),
        }
    ).write_csv(path)
