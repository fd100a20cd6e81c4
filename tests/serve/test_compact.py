from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.clock import DAY
from drivetrain.core.errors import StoreError
from drivetrain.serve.log.compact import Compacted, compact, endpoints
from drivetrain.serve.log.frame import MAGIC, pack
from drivetrain.serve.log.outcome import find_feedback
from drivetrain.serve.log.read import find
from drivetrain.serve.log.segment import segments
from drivetrain.serve.log.wal import WriteAheadLog
from drivetrain.store.tables import Tables
from serve import world
from serve.records import embedded, explanation, feedback, prediction, same


@pytest.fixture
def store(tmp_path):
    opened = world.fresh_store(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "log"


def write(folder, *entries, close=True):
    log = WriteAheadLog(folder / "plain")
    for entry in entries:
        log.append(pack(embedded(entry) if hasattr(entry, "role") else entry))
    if close:
        log.close()
    return log


def predictions(store):
    return store.tables.read("log/plain/predictions")


def test_rows_hold_what_was_logged(store, folder):
    entry = prediction("a", 3, values=[1.0, float("nan")], prediction=0.25)
    write(folder, entry, feedback("f1", 1.0, at=5))
    assert compact(store, folder) == Compacted(predictions=1, feedback=1, removed=1)
    frame = predictions(store)
    assert frame.schema["at"] == pl.Datetime("us", "UTC")
    row = frame.row(0, named=True)
    assert (row["request_id"], row["row"], row["prediction"], row["request"]) == ("a", 3, 0.25, '{"carrier":"UA"}')
    assert str(row["values"]) == "[1.0, nan]"
    assert store.tables.read("log/plain/feedback").select("entity", "label").row(0) == ("f1", 1.0)
    assert same(find(store, folder, "a")[0], entry)


def test_a_model_of_several_classes_keeps_its_scores(store, folder):
    entry = prediction("a", prediction=[0.2, 0.8])
    write(folder, entry)
    compact(store, folder)
    assert predictions(store).select("prediction", "scores").row(0) == (None, [0.2, 0.8])
    assert same(find(store, folder, "a", "plain")[0], entry)


def test_doing_it_again_adds_nothing(store, folder):
    write(folder, prediction("a"), feedback())
    compact(store, folder)
    assert compact(store, folder) == Compacted()
    assert predictions(store).height == 1


def test_an_open_segment_is_read_as_far_as_it_goes_and_stays(store, folder):
    log = write(folder, prediction("a"), close=False)
    assert compact(store, folder) == Compacted(predictions=1)
    log.append(pack(embedded(prediction("b"))))
    assert [entry.request_id for entry in find(store, folder, "b")] == ["b"]
    assert compact(store, folder) == Compacted(predictions=1)
    log.close()
    assert compact(store, folder) == Compacted(removed=1)
    assert predictions(store)["request_id"].sort().to_list() == ["a", "b"]
    assert segments(folder / "plain") == []


def test_a_request_sent_again_is_kept_once_the_first_one(store, folder):
    write(folder, prediction("a", logged_at=2, version=1), prediction("a", 1, logged_at=2))
    write(folder, prediction("a", logged_at=3, version=2), prediction("a", logged_at=3, role="shadow", version=2))
    assert compact(store, folder) == Compacted(predictions=3, repeated=1, removed=2)
    write(folder, prediction("a", logged_at=9, version=7, at=1_000_000 + 6 * DAY))
    assert compact(store, folder) == Compacted(repeated=1, removed=1)
    kept = predictions(store).filter(pl.col("role") == "champion", pl.col("row") == 0)
    assert kept["version"].to_list() == [1]


def test_a_label_is_kept_once_and_again_when_it_changes(store, folder):
    given_labels = [("f1", 1.0, 1), ("f1", 1.0, 2), ("f2", 1.0, 3), ("f1", 0.0, 4)]
    write(folder, *(feedback(entity, label, logged_at=at) for entity, label, at in given_labels))
    assert compact(store, folder) == Compacted(feedback=3, repeated=1, removed=1)
    write(folder, feedback("f1", 0.0, logged_at=5), feedback("f2", 1.0, logged_at=6), feedback("f1", 1.0, logged_at=7))
    assert compact(store, folder) == Compacted(feedback=1, repeated=2, removed=1)
    labels = store.tables.read("log/plain/feedback").sort("logged_at")
    assert labels.select("entity", "label").rows() == [("f1", 1.0), ("f2", 1.0), ("f1", 0.0), ("f1", 1.0)]


def test_an_explanation_is_kept_once_beside_its_prediction(store, folder):
    several = explanation("b", prediction=[0.2, 0.8], base=[1.0, 2.0], contributions=[[1.0, 2.0], [3.0, 4.0]])
    write(folder, prediction("a"), explanation("a", logged_at=2), explanation("a", logged_at=3, version=2), several)
    write(folder, explanation("a", logged_at=9), explanation("a", 1))
    assert compact(store, folder) == Compacted(predictions=1, explanations=3, repeated=2, removed=2)
    rows = store.tables.read("log/plain/explanations").sort("request_id", "row").rows(named=True)
    assert [(row["request_id"], row["row"], row["version"]) for row in rows] == [("a", 0, 1), ("a", 1, 1), ("b", 0, 1)]
    assert (rows[0]["prediction"], rows[0]["base"], rows[0]["contributions"]) == (0.5, [0.25], [1.0, -1.5])
    assert (rows[2]["scores"], rows[2]["contributions"]) == ([0.2, 0.8], [1.0, 2.0, 3.0, 4.0])
    assert rows[0]["unit"] == "log-odds"
    assert compact(store, folder) == Compacted()
    assert [entry.request_id for entry in find(store, folder, "a")] == ["a"]


def test_explanations_of_an_open_segment_are_moved_as_they_come(store, folder):
    log = write(folder, prediction("a"), feedback(), explanation("a"), close=False)
    assert compact(store, folder) == Compacted(predictions=1, feedback=1, explanations=1)
    log.append(pack(explanation("b")))
    assert compact(store, folder) == Compacted(explanations=1)
    assert compact(store, folder) == Compacted()
    log.append(pack(embedded(prediction("c"))) + pack(explanation("c")))
    log.close()
    assert compact(store, folder) == Compacted(predictions=1, explanations=1, removed=1)
    assert store.tables.read("log/plain/explanations")["request_id"].sort().to_list() == ["a", "b", "c"]


def test_half_a_frame_at_the_end_is_counted_and_left_out(store, folder):
    write(folder, prediction("a"), prediction("b"))
    (path,) = segments(folder / "plain")
    path.write_bytes(path.read_bytes()[:-5])
    done = compact(store, folder)
    assert (done.predictions, done.removed, done.damaged) == (1, 1, ())
    assert done.torn_bytes == len(pack(embedded(prediction("b")))) - 5


def test_a_spoiled_frame_is_counted_and_its_segment_kept(store, folder):
    write(folder, prediction("a"), prediction("b"), prediction("c"))
    (path,) = segments(folder / "plain")
    data = bytearray(path.read_bytes())
    size = len(pack(embedded(prediction("a"))))
    data[len(MAGIC) + size + 20] ^= 255
    path.write_bytes(data)
    done = compact(store, folder)
    assert (done.predictions, done.damaged_bytes, done.damaged) == (2, size, (path.name,))
    assert path.with_suffix(".damaged").exists()
    assert compact(store, folder) == Compacted()


def test_damage_that_was_passed_while_the_segment_was_open_keeps_it_in_the_end(store, folder):
    log = write(folder, prediction("a"), prediction("b"), close=False)
    (path,) = segments(folder / "plain")
    with path.open("r+b") as file:
        file.seek(len(MAGIC) + 20)
        file.write(b"\xff")
    assert compact(store, folder).predictions == 1
    log.close()
    assert compact(store, folder).damaged == (path.name,)
    assert path.with_suffix(".damaged").exists()
    assert predictions(store)["request_id"].to_list() == ["b"]


def test_a_file_that_is_no_segment_is_named(store, folder):
    (folder / "plain").mkdir(parents=True)
    (folder / "plain/x.wal").write_bytes(b"something else entirely")
    with pytest.raises(StoreError, match=r"x\.wal is no segment.*Move it away"):
        compact(store, folder)


def test_endpoints_are_apart(store, folder):
    write(folder, prediction("a"))
    other = WriteAheadLog(folder / "other")
    other.append(pack(embedded(prediction("b", endpoint="other"))))
    other.close()
    assert endpoints(folder) == ["other", "plain"]
    assert compact(store, folder, "other").predictions == 1
    assert compact(store, folder, "plain").predictions == 1
    assert compact(store, folder, "nobody") == Compacted()
    assert endpoints(folder / "nowhere") == []
    assert [entry.endpoint for entry in find(store, folder, "b")] == ["other"]
    assert find(store, folder, "nobody") == []


def test_the_label_of_a_prediction_is_found_wherever_it_is(store, folder):
    entry = prediction("a", entity="f1", at=10)
    assert find_feedback(store, folder, entry) is None
    write(folder, feedback("f1", 1.0, at=20, logged_at=1), feedback("f2", 0.0, at=20))
    assert find_feedback(store, folder, entry).label == 1.0
    compact(store, folder)
    assert find_feedback(store, folder, entry).label == 1.0
    write(folder, feedback("", 0.0, at=30, logged_at=2, request_id="a", row=0))
    assert find_feedback(store, folder, entry).label == 0.0
    assert find_feedback(store, folder, prediction("b", entity="f1", at=25)) is None


class Killed(BaseException):
    """Stands for SIGKILL at an instant."""


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1)), min_size=1, max_size=12), st.integers(0, 2**16))
def test_killed_between_any_two_steps_every_entry_is_kept_once(asks, seed):
    """Entries are spread over segments, with repeats; compaction stops before or after its commits and deletions."""
    chance = random.Random(seed)
    place = Path(tempfile.mkdtemp())
    opened = world.fresh_store(place)
    append, unlink = Tables.append, Path.unlink

    def perhaps(call):
        def wrapped(*args, **kwargs):
            if chance.random() < 0.25:
                raise Killed
            result = call(*args, **kwargs)
            if chance.random() < 0.25:
                raise Killed
            return result

        return wrapped

    try:
        logs = [WriteAheadLog(place / "log/plain") for _ in range(2)]
        for number, which in asks:
            logs[which].append(pack(embedded(prediction(f"r{number}", logged_at=chance.randrange(100)))))
            logs[which].append(pack(feedback(f"f{number}")))
            logs[which].append(pack(explanation(f"r{number}")))
            if chance.random() < 0.3:
                logs[which].close()
            Tables.append, Path.unlink = perhaps(append), perhaps(unlink)  # type: ignore[method-assign]
            try:
                compact(opened, place / "log")
            except Killed:
                pass
            finally:
                Tables.append, Path.unlink = append, unlink  # type: ignore[method-assign]
        for log in logs:
            log.close()
        compact(opened, place / "log")
        wanted = sorted({f"r{number}" for number, _ in asks})
        assert predictions(opened)["request_id"].sort().to_list() == wanted
        labels = opened.tables.read("log/plain/feedback")
        assert labels["entity"].sort().to_list() == sorted({f"f{number}" for number, _ in asks})
        assert opened.tables.read("log/plain/explanations")["request_id"].sort().to_list() == wanted
        assert segments(place / "log/plain") == []
    finally:
        opened.close()
        shutil.rmtree(place)


_ONE_COMPACTION = """
import sys
sys.path[:0] = [{tests!r}]
from pathlib import Path
from serve import world
from drivetrain.serve.log.compact import compact
folder = Path({folder!r})
store = world.fresh_store(folder)
print("ready", flush=True)
sys.stdin.readline()
compact(store, folder / "log")
"""


def test_really_killed_compactions_keep_every_entry_once(store, folder, tmp_path):
    """Compactions are killed with SIGKILL at random instants; a last one finishes the work."""
    chance = random.Random(7)
    code = _ONE_COMPACTION.format(tests=str(Path(__file__).parent.parent), folder=str(tmp_path))
    written = 0
    children = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for child in children:
        write(folder, *(prediction(f"r{written + at}") for at in range(50)), feedback(f"f{written}"), explanation("r"))
        written += 50
        assert child.stdout.readline() == "ready\n"
        child.stdin.write("go\n")
        child.stdin.flush()
        try:
            child.wait(chance.uniform(0.0, 0.06))
        except subprocess.TimeoutExpired:
            os.kill(child.pid, 9)
        child.communicate()
    compact(store, folder)
    assert predictions(store)["request_id"].sort().to_list() == sorted(f"r{at}" for at in range(written))
    assert store.tables.read("log/plain/feedback").height == 4
    assert store.tables.read("log/plain/explanations").height == 1


def test_two_compactions_at_once_double_nothing(store, folder, tmp_path):
    write(folder, *(prediction(f"r{at}") for at in range(200)))
    code = _ONE_COMPACTION.format(tests=str(Path(__file__).parent.parent), folder=str(tmp_path))
    children = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for child in children:
        child.stdout.readline()
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    assert [child.communicate() and child.returncode for child in children] == [0, 0]
    assert predictions(store)["request_id"].n_unique() == predictions(store).height == 200
