"""The rules of ``contracts.py`` as peers write them; each runs in an environment of its own.

    python benchmarks/contract_peers.py PEER ROWS.parquet

What each is asked for is what it offers: dataframely and Pointblank part good rows from bad ones; pandera names what
failed and doesn't part; Great Expectations, on pandas, gives the places of unexpected values, and parting is left to
whoever calls.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import measure

NUMBERS = ("a", "b", "c", "d")
CODES = ("AA", "B6", "DL", "EV", "MQ", "UA", "US", "WN")
KINDS = ("card", "cash", "wire")
FIRST, LAST = "2013-01-01", "2013-12-31"

PACKAGES: dict[str, tuple[str, ...]] = {
    "dataframely": ("dataframely==3.1.2", "polars==2.1.0"),
    "pandera": ("pandera[polars]==0.35.0", "polars==2.1.0"),
    "Pointblank": ("pointblank==1.1.1", "polars==2.1.0"),
    "Great Expectations": ("great-expectations==1.24.1", "pandas<3", "pyarrow<26"),
}


def dataframely(path: Path) -> Callable[[], float]:
    import dataframely as dy  # noqa: PLC0415 - each peer is in an environment of its own
    import polars as pl  # noqa: PLC0415

    def between(name: str) -> Any:
        return dy.Float64(nullable=False, min=-4.0, max=4.0, allow_inf=False, alias=name)

    class Rows(dy.Schema):
        id = dy.Int64(nullable=False, min=0)
        a, b, c, d = (between(name) for name in NUMBERS)
        n = dy.Int64(nullable=False, min=0, max=995)
        code = dy.String(nullable=False, regex="^[A-Z0-9]{2}$", check=lambda value: value.is_in(CODES))
        kind = dy.String(nullable=False, check=lambda value: value.is_in(KINDS))
        plate = dy.String(nullable=True, regex="^N[0-9]{1,5}$")
        at = dy.Datetime(nullable=False, time_unit="us", time_zone="UTC", check=_within)

        @dy.rule()
        def a_and_b(cls) -> pl.Expr:  # noqa: N805 - as dataframely wants it
            return pl.col("a") + pl.col("b") < 7

        @dy.rule()
        def c_and_d(cls) -> pl.Expr:  # noqa: N805
            return pl.col("c") - pl.col("d") < 7

    frame = pl.read_parquet(path)

    def work() -> float:
        good, failed = Rows.filter(frame)
        return float(good.height) if failed.invalid().height + good.height == frame.height else -1.0

    return work


def _within(value: Any) -> Any:
    import polars as pl  # noqa: PLC0415

    low, high = (pl.lit(text).str.to_datetime(time_unit="us", time_zone="UTC") for text in (FIRST, LAST))
    return value.is_between(low, high)


def pandera(path: Path) -> Callable[[], float]:
    import pandera.polars as pa  # noqa: PLC0415
    import polars as pl  # noqa: PLC0415
    from pandera.errors import SchemaErrors  # noqa: PLC0415

    numbers = {
        name: pa.Column(float, [pa.Check.ge(-4.0), pa.Check.le(4.0), pa.Check(_finite)], nullable=False)
        for name in NUMBERS
    }
    schema = pa.DataFrameSchema(
        {
            "id": pa.Column(pl.Int64, pa.Check.ge(0)),
            **numbers,
            "n": pa.Column(pl.Int64, [pa.Check.ge(0), pa.Check.le(995)]),
            "code": pa.Column(pl.String, [pa.Check.isin(CODES), pa.Check.str_matches("^[A-Z0-9]{2}$")]),
            "kind": pa.Column(pl.String, pa.Check.isin(KINDS)),
            "plate": pa.Column(pl.String, pa.Check.str_matches("^N[0-9]{1,5}$"), nullable=True),
            "at": pa.Column(
                pl.Datetime("us", "UTC"), pa.Check(lambda data: data.lazyframe.select(_within(pl.col("at"))))
            ),
        },
        checks=[
            pa.Check(lambda data: data.lazyframe.select(pl.col("a") + pl.col("b") < 7)),
            pa.Check(lambda data: data.lazyframe.select(pl.col("c") - pl.col("d") < 7)),
        ],
    )
    frame = pl.read_parquet(path)

    def work() -> float:
        try:
            schema.validate(frame, lazy=True)
        except SchemaErrors as error:
            return float(frame.height - error.failure_cases["index"].n_unique())
        return float(frame.height)

    return work


def _finite(data: Any) -> Any:
    import polars as pl  # noqa: PLC0415

    return data.lazyframe.select(pl.col(data.key).is_finite())


def pointblank(path: Path) -> Callable[[], float]:
    import pointblank as pb  # noqa: PLC0415
    import polars as pl  # noqa: PLC0415

    frame = pl.read_parquet(path)
    first, last = (pl.Series([text]).str.to_datetime(time_unit="us", time_zone="UTC")[0] for text in (FIRST, LAST))

    def work() -> float:
        plan = pb.Validate(data=frame)
        for name in frame.columns:
            if name != "plate":
                plan = plan.col_vals_not_null(columns=name)
        for name in NUMBERS:
            plan = plan.col_vals_ge(columns=name, value=-4.0, na_pass=True)
            plan = plan.col_vals_le(columns=name, value=4.0, na_pass=True)
            plan = plan.col_vals_expr(expr=pl.col(name).is_finite() | pl.col(name).is_null())
        plan = (
            plan.col_vals_ge(columns="id", value=0)
            .col_vals_ge(columns="n", value=0)
            .col_vals_le(columns="n", value=995)
            .col_vals_in_set(columns="code", set=list(CODES))
            .col_vals_regex(columns="code", pattern="^[A-Z0-9]{2}$")
            .col_vals_in_set(columns="kind", set=list(KINDS))
            .col_vals_regex(columns="plate", pattern="^N[0-9]{1,5}$", na_pass=True)
            .col_vals_ge(columns="at", value=first)
            .col_vals_le(columns="at", value=last)
            .col_vals_expr(expr=(pl.col("a") + pl.col("b") < 7).fill_null(value=True))
            .col_vals_expr(expr=(pl.col("c") - pl.col("d") < 7).fill_null(value=True))
        )
        done = plan.interrogate(collect_extracts=False)
        return float(done.get_sundered_data(type="pass").height)

    return work


def great_expectations(path: Path) -> Callable[[], float]:
    import great_expectations as gx  # noqa: PLC0415
    import great_expectations.expectations as ex  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    frame = pd.read_parquet(path)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("rows").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("rows").get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite(name="rows")
    rules = [ex.ExpectColumnValuesToNotBeNull(column=name) for name in frame.columns if name != "plate"]
    rules += [ex.ExpectColumnValuesToBeBetween(column=name, min_value=-4.0, max_value=4.0) for name in NUMBERS]
    frame_of = {"a and b": ("a", "b", 1), "c and d": ("c", "d", -1)}
    for left, right, sign in frame_of.values():
        frame[f"{left}{right}"] = frame[left] + sign * frame[right]
        rules.append(ex.ExpectColumnValuesToBeBetween(column=f"{left}{right}", max_value=7, strict_max=True))
    rules += [
        ex.ExpectColumnValuesToBeBetween(column="id", min_value=0),
        ex.ExpectColumnValuesToBeBetween(column="n", min_value=0, max_value=995),
        ex.ExpectColumnValuesToBeInSet(column="code", value_set=list(CODES)),
        ex.ExpectColumnValuesToMatchRegex(column="code", regex="^[A-Z0-9]{2}$"),
        ex.ExpectColumnValuesToBeInSet(column="kind", value_set=list(KINDS)),
        ex.ExpectColumnValuesToMatchRegex(column="plate", regex="^N[0-9]{1,5}$"),
        ex.ExpectColumnValuesToBeBetween(
            column="at", min_value=pd.Timestamp(FIRST, tz="UTC"), max_value=pd.Timestamp(LAST, tz="UTC")
        ),
    ]
    for rule in rules:
        suite.add_expectation(rule)

    def work() -> float:
        found = batch.validate(suite, result_format={"result_format": "COMPLETE"})
        bad: set[int] = set()
        for one in found.results:
            bad.update(one.result.get("unexpected_index_list") or ())
        return float(len(frame) - len(bad))

    return work


PEERS = {
    "dataframely": dataframely,
    "pandera": pandera,
    "Pointblank": pointblank,
    "Great Expectations": great_expectations,
}

if __name__ == "__main__":
    peer, place = sys.argv[1:3]
    measure.here(peer, PEERS[peer](Path(place)))
