"""Several who ask for the same name or number at the same moment, through one database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from drivetrain.core.errors import NameTaken, UnknownName, UsageError
from drivetrain.core.records import Dataset
from drivetrain.core.settings import StoreSettings
from drivetrain.registry.tracking import experiments, files, logged, models, runs, versions
from drivetrain.store.bundle import Store, open_store

_MANY = 6


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    opened = open_store(StoreSettings(), tmp_path)
    yield opened
    opened.close()


def at_once(work: Callable[[int], object]) -> list[object]:
    """What each of several threads came to: a result, or what it raised."""
    found: list[object] = [None] * _MANY
    ready = threading.Barrier(_MANY)

    def one(number: int) -> None:
        ready.wait()
        try:
            found[number] = work(number)
        except Exception as error:  # noqa: BLE001 - what came of it is what is looked at
            found[number] = error

    threads = [threading.Thread(target=one, args=(number,)) for number in range(_MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_a_name_is_one_experiments(store):
    made = at_once(lambda _: experiments.create(store, "same"))
    assert sum(isinstance(one, NameTaken) for one in made) == _MANY - 1
    [winner] = [one for one in made if not isinstance(one, Exception)]
    assert experiments.by_name(store, "same") == winner
    assert [one.name for one in experiments.every(store)] == ["same"]
    defaults = at_once(lambda _: experiments.find(store, experiments.DEFAULT).experiment_id)
    assert defaults == ["0"] * _MANY
    others = [experiments.create(store, f"other {number}") for number in range(_MANY)]
    renamed = at_once(lambda number: experiments.rename(store, others[number].experiment_id, "wanted"))
    assert sum(isinstance(one, NameTaken) for one in renamed) == _MANY - 1
    taken = [one.name for one in experiments.every(store)]
    assert sorted(taken) == sorted(set(taken))


def test_each_version_has_a_number_of_its_own(store):
    models.create(store, "net")
    made = at_once(lambda number: versions.create(store, "net", f"s3://bucket/{number}").version)
    assert sorted(made) == list(range(1, _MANY + 1))
    versions.delete(store, "net", _MANY)
    assert versions.create(store, "net", "s3://bucket/x").version == _MANY + 1
    models.delete(store, "net")
    models.create(store, "net")
    assert versions.create(store, "net", "s3://bucket/y").version == _MANY + 2


def test_what_several_say_of_a_run_is_all_kept(store):
    run_id = runs.create(store, experiments.DEFAULT).run.run_id

    def say(number: int) -> None:
        runs.add_inputs(store, run_id, [Dataset(name=f"d{number}", digest="x")], [])
        runs.add_outputs(store, run_id, [(f"m-{number}", number)])
        runs.update(store, run_id, name=f"name {number}")

    assert at_once(say) == [None] * _MANY
    tracked = runs.tracked_of(runs.find(store, run_id))
    assert {one.name for one in tracked.datasets} == {f"d{number}" for number in range(_MANY)}
    assert {one for one, _ in tracked.made_models} == {f"m-{number}" for number in range(_MANY)}
    models.create(store, "net")
    assert at_once(lambda number: models.tag(store, "net", f"t{number}", "1").name) == ["net"] * _MANY
    assert len(models.find(store, "net").tags) == _MANY


def test_the_record_of_a_run_that_ended_has_what_it_said_also_later(store):
    run_id = runs.create(store, experiments.DEFAULT, tags={"mlflow.user": "ada"}).run.run_id
    runs.log(store, run_id, parameters={"a": "1"})
    assert runs.find(store, run_id).parameters == {}
    ended = runs.update(store, run_id, status="done")
    assert (ended.parameters, ended.tracked.user) == ({"a": "1"}, "ada")
    runs.log(store, run_id, parameters={"b": "2"})
    assert runs.find(store, run_id).parameters == {"a": "1", "b": "2"}
    again = runs.update(store, run_id, status="running")
    assert again.tracked.ended is None
    runs.set_deleted(store, run_id, deleted=True)
    with pytest.raises(UsageError, match="is deleted"):
        runs.log(store, run_id, tags={"t": "1"})


@pytest.mark.parametrize("source", ["/etc", "file:///etc", "model", "./model", "mlflow-artifacts:/../x"])
def test_a_source_that_is_nobody_elses_is_refused(store, source):
    models.create(store, "net")
    with pytest.raises(UsageError):
        versions.create(store, "net", source)
    with pytest.raises(UnknownName):
        versions.create(store, "net", "runs:/none/model")
    with pytest.raises(UnknownName):
        versions.create(store, "net", "models:/m-none")
    assert "not kept here" in versions.create(store, "net", "s3://bucket/model").unservable


def test_a_file_is_somebodys(store):
    model = logged.create(store, experiments.DEFAULT)
    files.check_owner(store, model.root)
    for root in ("7/models/x/artifacts", f"7/models/{model.model_id}/artifacts", "0/none/artifacts"):
        with pytest.raises(UnknownName):
            files.check_owner(store, root)
