"""What a bucket of any store must do, beside what every reader must."""

from __future__ import annotations

from abc import abstractmethod

import polars as pl
import pytest

from drivetrain.core.errors import SourceAway, SourceError
from drivetrain.data.readers.files import files
from drivetrain.testing.readers import Feed, ReaderConformance


class BucketFeed(Feed):
    """A bucket with files of ours and others in it."""

    def __init__(self, server, scheme) -> None:
        self.server = server
        self.scheme = scheme
        self.bucket = server.bucket()
        self.count = 0

    @property
    def reader(self):
        return files(f"{self.scheme}://{self.bucket}/raw/**/*.csv", budget_mib=0.024)

    def deliver(self, rows):
        self.count += 1
        data = pl.DataFrame(rows).write_csv().encode()
        self.server.put(f"{self.bucket}/raw/{self.count % 2}/{self.count:03}.csv", data)
        self.server.put(f"{self.bucket}/raw/{self.count:03}.txt", b"not ours")

    def vanish(self):
        self.server.kill()


class BucketConformance(ReaderConformance):
    """Say ``scheme``, and how to get a server."""

    scheme: str

    @abstractmethod
    def shared(self, request):
        """The session's server."""

    @abstractmethod
    def running(self):
        """A context with a server that may be killed."""

    @pytest.fixture(autouse=True)
    def server(self, request, monkeypatch):
        def reached(server):
            self.store = server
            for name, value in server.environment.items():
                monkeypatch.setenv(name, value)

        if "away" not in request.node.name:
            reached(self.shared(request))
            yield
            return
        self.shared(request)  # skips where there is none
        with self.running() as server:
            reached(server)
            yield

    def feed(self, folder):
        return BucketFeed(self.store, self.scheme)

    @pytest.fixture
    def bucket(self):
        return self.store.bucket()

    def test_an_object_is_read_again_when_its_content_changes(self, bucket, tmp_path):
        self.store.put(f"{bucket}/a.csv", b"a\n1\n")
        reader = files(f"{self.scheme}://{bucket}/*.csv")
        [first], cursor = read_all(reader, tmp_path)
        assert (first.again, reader.pending(tmp_path, cursor)) == (False, None)
        self.store.put(f"{bucket}/a.csv", b"a\n1\n")
        assert read_all(reader, tmp_path, cursor)[0] == []
        self.store.put(f"{bucket}/a.csv", b"a\n2\n")
        assert reader.pending(tmp_path, cursor) == "1 changed file: a.csv"
        [second], _ = read_all(reader, tmp_path, cursor)
        assert (second.again, second.rows.rows()) == (True, [("2",)])

    def test_an_object_that_changes_while_it_is_fetched_is_fetched_again(self, bucket, tmp_path):
        for name in ("a", "b"):
            self.store.put(f"{bucket}/{name}.csv", b"a\n1\n")
        reading = files(f"{self.scheme}://{bucket}/*.csv").read(tmp_path, "")
        next(reading)
        self.store.put(f"{bucket}/b.csv", b"a\n2\n")
        with pytest.raises(SourceAway, match=r"b\.csv was changed while it was fetched"):
            next(reading)

    def test_what_is_not_there_is_named(self, bucket, tmp_path):
        url = f"{self.scheme}://{bucket}"
        with pytest.raises(SourceError, match=rf"{url}/absent\.csv is not there"):
            read_all(files(f"{url}/absent.csv"), tmp_path)
        with pytest.raises(SourceError, match="no file matches"):
            read_all(files(f"{url}/*.csv"), tmp_path)


def read_all(reader, folder, cursor=""):
    batches = list(reader.read(folder, cursor))
    return batches, batches[-1].cursor if batches else cursor
