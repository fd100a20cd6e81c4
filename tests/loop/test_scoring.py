"""Files scored in batches, beside a real endpoint that is asked the same."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from tests.loop.shop import command, copy_shop, edit, serving
from tests.loop.wide_shop import asked, make_wide_shop, requests, write

from drivetrain.core.clock import micros_of
from drivetrain.core.errors import FeatureError, NotReady, RefusedError, SourceError, UnknownName, UsageError
from drivetrain.core.records import Alias, Field, InputSchema
from drivetrain.loop.project import Project
from drivetrain.loop.scoring import batch, scorer
from drivetrain.loop.scoring.features import OnlineFeatures
from drivetrain.serve.plan import EndpointPlan, RequestField
from drivetrain.serve.refusal import EngineFailed


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_wide_shop(tmp_path_factory.mktemp("scoring") / "shop")


@pytest.fixture(scope="module")
def answers(made, tmp_path_factory):
    """What a real endpoint answers to the requests: some alone, the others together."""
    folder = copy_shop(made, tmp_path_factory.mktemp("answers") / "shop")
    instances, ats = asked(requests())
    with serving(folder) as client:
        alone = [
            client.predict("returned", [instance], at=at)["predictions"][0]
            for instance, at in zip(instances[:50], ats[:50], strict=True)
        ]
        together = client.predict("returned", instances[50:], at=ats[50:])["predictions"]
    return [*alone, *together]


@pytest.fixture
def shop(made, tmp_path):
    return Project.load(copy_shop(made, tmp_path / "shop"))


@pytest.mark.parametrize("size", [7, 1 << 15])
@pytest.mark.parametrize("features", ["online", "offline"])
def test_predictions_are_the_endpoints_bit_for_bit(shop, answers, tmp_path, monkeypatch, features, size):
    monkeypatch.setattr(batch, "ROWS", {"online": size, "offline": max(size, 100)})
    rows = requests()
    done = shop.predict_batch(
        "returned", write(rows, tmp_path / "s.parquet"), tmp_path / "p.parquet", features=features
    )
    scored = pl.read_parquet(tmp_path / "p.parquet")
    assert scored["prediction"].to_list() == answers
    assert len(set(answers)) > 100
    assert scored.drop("prediction", "model_version").equals(rows)
    assert scored["model_version"].unique().to_list() == [1]
    assert (done.rows, done.refused, done.version, done.features) == (300, 0, 1, features)
    assert done.rows_per_second == pytest.approx(300 / done.seconds)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_a_file_of_text_is_scored_the_same(shop, answers, tmp_path, suffix):
    rows = requests()
    shop.predict_batch(None, write(rows, tmp_path / f"s{suffix}"), tmp_path / "p.parquet")
    scored = pl.read_parquet(tmp_path / "p.parquet")
    assert scored["prediction"].to_list() == answers
    assert scored["note"].equals(rows["note"])
    assert scored["at"].equals(rows["at"])


def test_columns_of_kindred_types_are_taken(shop, answers, tmp_path):
    rows = requests()
    kindred = rows.with_columns(
        pl.col("items").cast(pl.Float32), pl.col("category").cast(pl.Categorical), pl.col("ordered").cast(pl.String),
        pl.col("wanted").cast(pl.String), pl.col("at").dt.cast_time_unit("ns").dt.convert_time_zone("Asia/Tokyo"),
    )  # fmt: skip
    kindred = kindred.with_columns(pl.col("ordered").str.replace(" ", "T").str.replace("UTC", "Z"))
    kindred.write_parquet(tmp_path / "s.parquet")
    shop.predict_batch(None, tmp_path / "s.parquet", tmp_path / "p.parquet")
    assert pl.read_parquet(tmp_path / "p.parquet")["prediction"].to_list() == answers


def test_one_moment_for_all_rows_or_the_present_one(shop, tmp_path):
    rows = requests(40)
    write(rows.with_columns(at=datetime(2026, 6, 20, tzinfo=UTC)), tmp_path / "each.parquet")
    rows.drop("at").write_parquet(tmp_path / "none.parquet")
    shop.predict_batch(None, tmp_path / "each.parquet", tmp_path / "a.parquet")
    shop.predict_batch(None, tmp_path / "none.parquet", tmp_path / "b.parquet", at="2026-06-20")
    shop.predict_batch(None, tmp_path / "none.parquet", tmp_path / "c.parquet")
    each, one, present = (pl.read_parquet(tmp_path / f"{name}.parquet") for name in "abc")
    assert one.equals(each.select(one.columns))
    assert present["at"].n_unique() == 1
    assert timedelta(0) <= datetime.now(UTC) - present["at"][0] < timedelta(minutes=1)


BAD = {
    "items": [None, 2, 3, 4, 5, 6],
    "amount": [1.0, float("nan"), float("inf"), 4.0, 5.0, 6.0],
    "at": [None, None, None, None, None, datetime(2026, 6, 2, tzinfo=UTC)],
}


def bad_rows():
    rows = requests(6).with_columns(pl.Series(name, values) for name, values in BAD.items())
    return rows.with_columns(at=pl.when(pl.int_range(pl.len()) == 4).then(None).otherwise(pl.lit(BAD["at"][5])))


def test_rows_that_do_not_fit_are_refused_with_the_first_and_why(shop, tmp_path):
    write(bad_rows(), tmp_path / "s.parquet")
    (tmp_path / "p.parquet").write_text("of before")
    with pytest.raises(RefusedError, match=r"4 of 6 rows of s\.parquet do not fit") as refused:
        shop.predict_batch(None, tmp_path / "s.parquet", tmp_path / "p.parquet")
    assert "row 1: items: found nothing, expected a 64-bit integer; row 2: amount: found nan" in str(refused.value)
    assert "row 3: amount: found inf, expected a number; and 1 more" in str(refused.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.parquet", "s.parquet", "shop"]
    assert (tmp_path / "p.parquet").read_text() == "of before"


@pytest.mark.parametrize("size", [2, 1000])
def test_rows_that_do_not_fit_may_be_left_out(shop, tmp_path, monkeypatch, size):
    monkeypatch.setitem(batch.ROWS, "online", size)
    rows = bad_rows()
    write(rows, tmp_path / "s.parquet")
    done = shop.predict_batch(None, tmp_path / "s.parquet", tmp_path / "p.parquet", skip_bad=True)
    assert (done.rows, done.refused) == (2, 4)
    assert pl.read_parquet(tmp_path / "p.parquet")["order_id"].to_list() == ["new-3", "new-5"]
    assert done.refused_output == str(tmp_path / "p.parquet.refused.parquet")
    refused = pl.read_parquet(done.refused_output)
    assert refused.drop("reason").equals(rows[[0, 1, 2, 4]])
    assert refused["reason"].str.split(":").list.first().to_list() == ["items", "amount", "amount", "at"]
    write(rows[[3, 5]], tmp_path / "s.parquet")
    done = shop.predict_batch(None, tmp_path / "s.parquet", tmp_path / "p.parquet", skip_bad=True)
    assert (done.rows, done.refused, done.refused_output) == (2, 0, None)
    assert not (tmp_path / "p.parquet.refused.parquet").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"items": 2.5}, "items: found 2.5, expected a 64-bit integer"),
        ({"items": 2**63}, "items: found 9223372036854775808, expected a 64-bit integer"),
        ({"items": "2"}, "items: found '2', expected a 64-bit integer"),
        ({"category": 7}, "category: found 7, expected a string"),
        ({"customer": 7}, "customer: found masked, expected a string or null"),
        ({"amount": "much"}, "amount: found 'much', expected a number"),
        ({"gift": "yes"}, "gift: found 'yes', expected true or false"),
        ({"ordered": "yesterday"}, "ordered: found 'yesterday', expected a time such as"),
        ({"wanted": "2026-13-01"}, "wanted: found '2026-13-01', expected a date such as"),
        ({"at": "soon"}, "at: found 'soon', expected a time such as"),
    ],
)
def test_json_lines_are_held_to_what_the_endpoint_takes(shop, tmp_path, line, said):
    rows = write(requests(3), tmp_path / "s.jsonl").read_text().splitlines()
    rows[1] = json.dumps({**json.loads(rows[1]), **line})
    (tmp_path / "s.jsonl").write_text("\n".join(rows))
    with pytest.raises(RefusedError) as refused:
        shop.predict_batch(None, tmp_path / "s.jsonl", tmp_path / "p.parquet")
    assert f"1 of 3 rows of s.jsonl do not fit the request: row 2: {said}" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("items,x", "items: found 'x', expected a 64-bit integer"),
        ("amount,", "amount: found '', expected a number"),
        ("gift,perhaps", "gift: found 'perhaps', expected true or false"),
        ("wanted,01.02.2026", "wanted: found '01.02.2026', expected a date"),
    ],
)
def test_values_of_csv_that_can_not_be_read_are_named(shop, tmp_path, text, said):
    column, value = text.split(",")
    rows = pl.read_csv(write(requests(3), tmp_path / "s.csv"), infer_schema=False)
    rows.with_columns(
        pl.when(pl.int_range(pl.len()) == 2).then(pl.lit(value)).otherwise(column).alias(column)
    ).write_csv(tmp_path / "s.csv")
    with pytest.raises(RefusedError) as refused:
        shop.predict_batch(None, tmp_path / "s.csv", tmp_path / "p.parquet")
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (
            lambda rows: rows.drop("items", "gift"),
            SourceError,
            "s.parquet lacks 2 columns of the request; found order_id",
        ),
        (lambda rows: rows.drop("items"), SourceError, "expected items (a 64-bit integer)"),
        (
            lambda rows: rows.with_columns(pl.col("items").cast(pl.String)),
            SourceError,
            "found items as String; expected",
        ),
        (lambda rows: rows.with_columns(gift=1), SourceError, "expected true or false in gift"),
        (lambda rows: rows.with_columns(order_id=1), SourceError, "expected a string in order_id"),
        (lambda rows: rows.with_columns(ordered=pl.lit(date(2026, 1, 1))), SourceError, "expected a time such as"),
        (lambda rows: rows.with_columns(at=5), UsageError, "the column at of s.parquet holds no moments; found Int"),
        (lambda rows: rows.with_columns(prediction=5), UsageError, "columns that scoring makes; found prediction"),
        (lambda rows: rows.with_columns(prediction_3=5), UsageError, "columns that scoring makes; found prediction_3"),
    ],
)
def test_a_file_whose_columns_can_not_be_the_fields_is_refused(shop, tmp_path, change, error, said):
    change(requests(5)).write_parquet(tmp_path / "s.parquet")
    with pytest.raises(error) as refused:
        shop.predict_batch(None, tmp_path / "s.parquet", tmp_path / "p.parquet")
    assert said in str(refused.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.parquet", "shop"]


@pytest.mark.parametrize(
    ("source", "target", "more", "said"),
    [
        ("none.parquet", "p.parquet", {}, "there is no file"),
        ("s.xlsx", "p.parquet", {}, "no format that is known"),
        ("s.parquet", "s.parquet", {}, "write over its input"),
        ("s.parquet", "p.csv", {}, "no Parquet file"),
        ("s.parquet", "nowhere/p.parquet", {}, "there is no folder"),
        ("s.parquet", "p.parquet", {"features": "both"}, "expected online or offline"),
        ("s.parquet", "p.parquet", {"at": "2026-06-01"}, "found at"),
        ("s.parquet", "p.parquet", {"at": "later"}, "not a moment in time"),
    ],
)
def test_what_can_not_be_asked_is_said_plainly(shop, tmp_path, source, target, more, said):
    write(requests(2), tmp_path / "s.parquet")
    (tmp_path / "s.xlsx").write_text("")
    with pytest.raises(UsageError, match=said):
        shop.predict_batch(None, tmp_path / source, tmp_path / target, **more)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("s.parquet", "PAR1 and no more"),
        ("s.jsonl", '{"order_id": "a"\n'),
        ("s.jsonl", "[1]\n"),
        ("s.csv", ""),
    ],
)
def test_a_file_that_is_broken_is_said_plainly(shop, tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(SourceError, match="can't be read as"):
        shop.predict_batch(None, tmp_path / name, tmp_path / "p.parquet")


def test_a_version_may_be_named(shop, tmp_path):
    write(requests(2), tmp_path / "s.parquet")
    assert shop.predict_batch(None, tmp_path / "s.parquet", tmp_path / "p.parquet", version=1).version == 1
    with pytest.raises(UnknownName, match="no version 9"):
        shop.predict_batch(None, tmp_path / "s.parquet", tmp_path / "p.parquet", version=9)
    held = shop.store.catalog.get(Alias, "returned:champion")
    shop.store.catalog.commit(Alias(model="returned", alias="champion", version=None, at=held.at + 1))
    with pytest.raises(NotReady, match="no champion of model returned"):
        shop.predict_batch(None, tmp_path / "s.parquet", tmp_path / "p.parquet")


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_file_without_rows_makes_one_without_rows(shop, tmp_path, suffix):
    write(requests(2)[:0], tmp_path / f"s{suffix}")
    assert shop.predict_batch(None, tmp_path / f"s{suffix}", tmp_path / "p.parquet").rows == 0
    assert pl.read_parquet(tmp_path / "p.parquet").columns == [*requests(0).columns, "prediction", "model_version"]


class Engine:
    """Three classes; fails from a certain row on, or gives what is no number."""

    def __init__(self, last=1 << 30, *, gives=0.25):
        self.seen, self.last, self.gives = 0, last, gives

    def predict(self, rows):
        self.seen += len(rows)
        if self.seen > self.last:
            raise ValueError("out of order")
        return np.tile([self.gives, 0.5, 0.25], (len(rows), 1)) + np.arange(len(rows))[:, None]

    def predict_row(self, row):
        return [self.gives, 0.5, 0.25]

    def explain(self, rows):
        return None


def test_without_views_the_request_is_all_there_is(tmp_path):
    schema = InputSchema(
        (Field("seats"), Field("carrier", "category", ("AA", "UA")), Field("due"), Field("late", "boolean"))
    )
    fields = [
        RequestField("carrier", "string"), RequestField("seats", "int"), RequestField("due", "time"),
        RequestField("late", "bool"),
    ]  # fmt: skip
    features = OnlineFeatures(EndpointPlan(name="plain", model="plain", fields=tuple(fields)), schema, None)
    due = datetime(2026, 6, 1, tzinfo=UTC)
    rows = pl.DataFrame(
        {"carrier": ["UA", None, "XX"], "seats": [3, None, 2**53 + 1], "due": [due] * 3, "late": [True, False, None]}
    )
    found = features.matrix(rows.cast({"due": pl.Datetime("us", "UTC")}), rows["due"])
    encoded = schema.encoder().encode
    wanted = [encoded([seats, carrier, micros_of(due), late]) for carrier, seats, _, late in rows.iter_rows()]
    assert np.array_equal(found, np.array(wanted), equal_nan=True)


def test_several_classes_have_a_column_each(shop, tmp_path, monkeypatch):
    monkeypatch.setattr(scorer, "load_engine", lambda store, version, **_: Engine())
    write(requests(2), tmp_path / "s.parquet")
    shop.predict_batch(None, tmp_path / "s.parquet", tmp_path / "p.parquet")
    scored = pl.read_parquet(tmp_path / "p.parquet")
    assert scored.select("^prediction.*$").to_dict(as_series=False) == {
        "prediction_0": [0.25, 1.25], "prediction_1": [0.5, 1.5], "prediction_2": [0.25, 1.25]
    }  # fmt: skip


@pytest.mark.parametrize("engine", [lambda: Engine(3_000), lambda: Engine(gives=float("nan"))])
def test_an_engine_that_fails_leaves_nothing_and_what_was_there(shop, tmp_path, monkeypatch, engine):
    monkeypatch.setitem(batch.ROWS, "online", 1000)
    monkeypatch.setattr(scorer, "load_engine", lambda store, version, **_: engine())
    write(requests(10_000), tmp_path / "s.parquet")
    (tmp_path / "p.parquet").write_text("of before")
    with pytest.raises(EngineFailed, match="returned@1"):
        shop.predict_batch(None, tmp_path / "s.parquet", tmp_path / "p.parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.parquet", "s.parquet", "shop"]
    assert (tmp_path / "p.parquet").read_text() == "of before"


def test_a_feature_that_can_not_be_computed_is_named(made, tmp_path):
    folder = copy_shop(made, tmp_path / "shop")
    edit(
        folder,
        'pl.col("items"),',
        'pl.col("items").cast(pl.String).str.to_date("%Y", strict=True).dt.year().alias("items"),',
    )
    project = Project.load(folder)
    write(requests(2), tmp_path / "s.parquet")
    with pytest.raises((RefusedError, FeatureError), match="basket"):
        project.predict_batch(None, tmp_path / "s.parquet", tmp_path / "p.parquet")


KILLED = """
import sys, time
from drivetrain.loop.project import Project
from drivetrain.loop.scoring import batch
batch.ROWS["online"] = 100

class Slow:
    def start(self, task, total=None): pass
    def advance(self, task, amount=1.0, note=""):
        print(note, flush=True)
        time.sleep(0.2)
    def finish(self, task, note=""): pass

Project.load(sys.argv[1]).predict_batch(None, sys.argv[2], sys.argv[3], progress=Slow())
"""


def test_killed_half_way_it_leaves_no_output_and_the_next_one_clears_up(shop, tmp_path):
    write(requests(3_000), tmp_path / "s.parquet")
    words = [sys.executable, "-c", KILLED, shop.folder, tmp_path / "s.parquet", tmp_path / "p.parquet"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert [process.stdout.readline() for _ in range(5)][-1] == "500 rows\n"
        process.send_signal(signal.SIGKILL)
    (left,) = tmp_path.glob(".p.parquet.*.aside")
    assert not (tmp_path / "p.parquet").exists()
    assert shop.predict_batch(None, tmp_path / "s.parquet", tmp_path / "p.parquet").rows == 3_000
    assert not left.exists()
    assert pl.read_parquet(tmp_path / "p.parquet").height == 3_000


STREAMED = """
import sys
from pathlib import Path
import polars as pl
from drivetrain.loop.scoring.inputs import InputFile
from drivetrain.loop.scoring.output import Aside
from drivetrain.serve.plan import RequestField

def held():  # what it has allocated itself: a file that is mapped is the system's to drop
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024

def made(read):
    peaks.append(held())
    return read.carried.with_columns(read.values["x"].alias("y"))

peaks = []
file = InputFile(Path(sys.argv[1]), [RequestField("x", "float")], 1 << 15)
with Aside(Path(sys.argv[2])) as aside:
    schema = pl.Schema({**file.schema, "y": pl.Float64()})
    aside.publish(aside.write(map(made, file.batches()), schema), Path(sys.argv[2]))
print(max(peaks))
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path):
    peaks = []
    for many in (1_000_000, 4_000_000):  # the second has some 300 MB more
        rows = pl.LazyFrame({"x": [1.5]}).select(pl.col("x").repeat_by(many).explode())
        rows = rows.with_row_index().with_columns(pl.col("index").hash().cast(pl.String).str.pad_start(90, "-"))
        path = tmp_path / "s.parquet"
        rows.sink_parquet(path)
        words = [sys.executable, "-c", STREAMED, path, tmp_path / "p.parquet"]
        peaks.append(float(subprocess.run(words, capture_output=True, text=True, check=True).stdout))
        assert pl.scan_parquet(tmp_path / "p.parquet").select(pl.len(), pl.col("y").sum()).collect().row(0) == (
            many, 1.5 * many
        )  # fmt: skip
    assert peaks[1] < peaks[0] + 120, peaks


def test_the_command_scores_a_file(shop, tmp_path):
    write(bad_rows(), tmp_path / "s.parquet")
    words = ["predict", "--input", str(tmp_path / "s.parquet"), "--output", str(tmp_path / "p.parquet")]
    told = command(shop.folder, *words, "--skip-bad", "--json")
    summary = json.loads(told.stdout)
    assert {name: summary[name] for name in ("endpoint", "rows", "refused", "version", "features")} == {
        "endpoint": "returned", "rows": 2, "refused": 4, "version": 1, "features": "online"
    }  # fmt: skip
    assert summary["rows_per_second"] > 0
    assert "score s.parquet" in told.stderr
    words[-1] = str(tmp_path / "q.parquet")
    told = command(shop.folder, *words, "--features", "offline", check=False)
    assert told.returncode == 1
    assert "4 of 6 rows of s.parquet do not fit the request" in told.stderr
    assert not (tmp_path / "q.parquet").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{}", "--input", "s.parquet", "--output", "p.parquet"], "not both"),
        (["{}", "--output", "p.parquet"], "not both"),
        (["--input", "s.parquet"], "found --input alone"),
        (["--output", "p.parquet"], "found --output alone"),
        ([], "nothing to predict"),
        (["{}", "--skip-bad"], "score a file"),
        (["{}", "--version", "3"], "score a file"),
        (["{}", "--features", "offline"], "score a file"),
    ],
)
def test_the_two_forms_of_the_command_exclude_each_other(made, words, said):
    told = command(made, "predict", *words, check=False)
    assert told.returncode == 2
    assert said in told.stderr
    assert "Traceback" not in told.stderr
