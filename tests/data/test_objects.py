"""Files in a bucket, of a real S3 API."""

from __future__ import annotations

import io

import polars as pl
import pytest
from tests.data.feeds import FileFeed

from drivetrain.core.errors import ProjectError, SourceAway, SourceError
from drivetrain.data.readers.files import files
from drivetrain.data.readers.places import _expression
from drivetrain.testing.readers import Feed, ReaderConformance
from drivetrain.testing.s3 import running_s3, s3

__all__ = ["s3"]

pytestmark = pytest.mark.services


@pytest.fixture(autouse=True)
def reached(s3, monkeypatch):
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)


class BucketFeed(Feed):
    def __init__(self, server) -> None:
        self.server = server
        self.bucket = server.bucket()
        self.count = 0

    @property
    def reader(self):
        return files(f"s3://{self.bucket}/raw/**/*.csv", budget_mib=0.024)

    def deliver(self, rows):
        self.count += 1
        data = pl.DataFrame(rows).write_csv().encode()
        self.server.put(f"{self.bucket}/raw/{self.count % 2}/{self.count:03}.csv", data)
        self.server.put(f"{self.bucket}/raw/{self.count:03}.txt", b"not ours")

    def vanish(self) -> None:
        self.server.kill()


class TestBucket(ReaderConformance):
    @pytest.fixture(autouse=True)
    def server(self, request, s3, monkeypatch):
        if "away" not in request.node.name:
            self.s3 = s3
            yield
            return
        with running_s3() as self.s3:
            monkeypatch.setenv("AWS_ENDPOINT_URL", self.s3.url)
            yield

    def feed(self, folder):
        return BucketFeed(self.s3)


def read_all(reader, folder, cursor=""):
    batches = list(reader.read(folder, cursor))
    return batches, batches[-1].cursor if batches else cursor


def test_every_format_comes_out_of_a_bucket(s3, tmp_path):
    bucket = s3.bucket()
    feed = FileFeed(tmp_path, ".parquet", 512)
    feed.deliver([{"a": 1}, {"a": 2}])
    s3.put(f"{bucket}/one.parquet", (feed.folder / "001.parquet").read_bytes())
    ipc = io.BytesIO()
    pl.DataFrame({"a": [1, 2]}).write_ipc(ipc)
    s3.put(f"{bucket}/one.arrow", ipc.getvalue())
    for name in ("one.parquet", "one.arrow"):
        [batch], _ = read_all(files(f"s3://{bucket}/{name}"), tmp_path)
        assert batch.rows.to_dicts() == [{"a": 1}, {"a": 2}]
        assert batch.origin == f"s3://{bucket}/{name}"


def test_an_object_is_read_again_when_its_content_changes(s3, tmp_path):
    bucket = s3.bucket()
    s3.put(f"{bucket}/a.csv", b"a\n1\n")
    reader = files(f"s3://{bucket}/*.csv")
    [first], cursor = read_all(reader, tmp_path)
    assert (first.again, reader.pending(tmp_path, cursor)) == (False, None)
    s3.put(f"{bucket}/a.csv", b"a\n1\n")
    assert read_all(reader, tmp_path, cursor)[0] == []
    s3.put(f"{bucket}/a.csv", b"a\n2\n")
    assert reader.pending(tmp_path, cursor) == "1 changed file: a.csv"
    [second], _ = read_all(reader, tmp_path, cursor)
    assert (second.again, second.rows.rows()) == (True, [("2",)])


def test_an_object_that_changes_while_it_is_fetched_is_fetched_again(s3, tmp_path):
    bucket = s3.bucket()
    for name in ("a", "b"):
        s3.put(f"{bucket}/{name}.csv", b"a\n1\n")
    reading = files(f"s3://{bucket}/*.csv").read(tmp_path, "")
    next(reading)
    s3.put(f"{bucket}/b.csv", b"a\n2\n")
    with pytest.raises(SourceAway, match=r"b\.csv was changed while it was fetched"):
        next(reading)


def test_what_is_not_there_is_named(s3, tmp_path):
    bucket = s3.bucket()
    with pytest.raises(SourceError, match="is not there"):
        read_all(files(f"s3://{bucket}/absent.csv"), tmp_path)
    with pytest.raises(SourceError, match="no file matches"):
        read_all(files(f"s3://{bucket}/*.csv"), tmp_path)
    with pytest.raises(SourceError, match="s3://nobodys"):
        read_all(files("s3://nobodys/*.csv"), tmp_path)
    with pytest.raises(ProjectError, match="'nope' is not valid"):
        read_all(files(f"s3://{bucket}/*.csv", options={"nope": "1"}), tmp_path)
    with pytest.raises(SourceError, match="names no object"):
        read_all(files("ftp://host/*.csv"), tmp_path)


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("raw/*.csv", "raw/1.csv", True),
        ("raw/*.csv", "raw/a/1.csv", False),
        ("raw/**/*.csv", "raw/1.csv", True),
        ("raw/**/*.csv", "raw/a/b/1.csv", True),
        ("raw/?.csv", "raw/12.csv", False),
        ("raw/[0-3].csv", "raw/2.csv", True),
        ("raw/[!0-3].csv", "raw/2.csv", False),
        ("raw/a+b.csv", "raw/a+b.csv", True),
    ],
)
def test_globs(pattern, name, matches):
    assert bool(_expression(pattern).fullmatch(name)) == matches
