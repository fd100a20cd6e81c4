from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivetrain.core.errors import Conflict, GateRefused, RefusedError, UnknownName, UsageError
from drivetrain.core.records import Alias, Decision
from drivetrain.registry.aliases import Move, champion, current, point, pointed, rollback
from drivetrain.store.bundle import Store
from drivetrain.store.memory import MemoryBlobs, MemoryCatalog
from registry.versions import REFUSED, registered


def moves(store: Store) -> list[tuple[str, int | None, str]]:
    decisions = reversed(store.catalog.find(Decision, "late"))
    return [(each.what, each.version, each.because) for each in decisions if each.what != "register"]


def test_a_champion_and_its_decision(store: Store) -> None:
    first = registered(store, "run-1")
    assert champion(store, "late") is None
    alias = point(store, "late", "champion", 1, "the first", "ann")
    assert (alias.version, alias.previous, alias.actor) == (1, None, "ann")
    assert champion(store, "late") == first
    assert current(store, "late") == {"champion": 1}
    assert moves(store) == [("promote", 1, "the first")]
    assert store.catalog.links(target=alias.ref)[0].source == first.ref


def test_pointing_where_it_points_changes_nothing(store: Store) -> None:
    registered(store, "run-1")
    first = point(store, "late", "champion", 1, "the first", "ann")
    assert point(store, "late", "champion", 1, "again", "bob") == first
    assert len(moves(store)) == 1
    assert point(store, "late", "shadow", None, "none there", "bob").version is None
    assert len(moves(store)) == 1


def test_a_version_that_its_gates_refused(store: Store) -> None:
    registered(store, "run-1", REFUSED)
    with pytest.raises(GateRefused, match=r"late v1 may not become champion; found average precision \.50 is below"):
        point(store, "late", "champion", 1, "hope", "ann")
    assert current(store, "late") == {}
    point(store, "late", "champion", 1, "the old one is broken", "ann", force=True)
    ((what, version, because),) = moves(store)
    assert (what, version) == ("promote", 1)
    assert because.startswith("the old one is broken (forced; the gates said: average precision .50 is below")
    (decision,) = [each for each in store.catalog.find(Decision, "late") if each.what == "promote"]
    assert msgspec.json.decode(decision.evidence, type=Move).forced


def test_force_on_a_version_that_passed_is_no_force(store: Store) -> None:
    registered(store, "run-1")
    point(store, "late", "champion", 1, "good", "ann", force=True)
    assert moves(store) == [("promote", 1, "good")]


def test_what_becomes_champion_is_no_longer_shadow(store: Store) -> None:
    for run in ("run-1", "run-2"):
        registered(store, run)
    point(store, "late", "champion", 1, "first", "loop")
    point(store, "late", "shadow", 2, "new", "loop")
    assert current(store, "late") == {"champion": 1, "shadow": 2}
    point(store, "late", "champion", 2, "better", "loop")
    assert current(store, "late") == {"champion": 2}
    assert pointed(store, "late", "shadow") is None


def test_a_shadow_taken_away(store: Store) -> None:
    registered(store, "run-1")
    point(store, "late", "shadow", 1, "new", "loop")
    point(store, "late", "shadow", None, "it was no better", "loop")
    assert current(store, "late") == {}
    assert moves(store)[-1] == ("shadow", 1, "shadow taken away: it was no better")


def test_rolling_back_goes_back_and_never_forward(store: Store) -> None:
    for number in range(1, 5):
        registered(store, f"run-{number}")
        point(store, "late", "champion", number, "newer", "loop")
    back = [rollback(store, "late", "worse", "ann").version for _ in range(3)]
    assert back == [3, 2, 1]
    with pytest.raises(RefusedError, match="no earlier champion"):
        rollback(store, "late", "worse", "ann")
    assert moves(store)[-1] == ("rollback", 1, "worse")


def test_rolling_back_nothing(store: Store) -> None:
    with pytest.raises(RefusedError, match="found no champion"):
        rollback(store, "late", "worse", "ann")


def test_what_can_not_be_pointed(store: Store) -> None:
    registered(store, "run-1")
    with pytest.raises(UnknownName, match="no version 7; expected one of: v1"):
        point(store, "late", "champion", 7, "x", "ann")
    with pytest.raises(UnknownName, match="champion, challenger, shadow"):
        point(store, "late", "king", 1, "x", "ann")
    for call in (lambda: point(store, "late", "champion", 1, " ", "ann"), lambda: rollback(store, "late", "", "ann")):
        with pytest.raises(UsageError, match="needs a reason"):
            call()


def test_a_move_made_meanwhile_is_seen(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for run in ("run-1", "run-2"):
        registered(store, run)
    commit = type(store.catalog).commit
    raced = []

    def racing(self: object, *records: object, **rest: object) -> int:
        if not raced:
            raced.append(True)
            commit(self, Alias(at=1, model="late", alias="champion", version=1, because="first"))
            with pytest.raises(Conflict):
                commit(self, *records, **rest)
            raise Conflict("somebody was first")
        return commit(self, *records, **rest)

    monkeypatch.setattr(type(store.catalog), "commit", racing)
    assert point(store, "late", "champion", 2, "better", "ann").previous == 1


class Shelf:
    """Catalog and blobs in memory: enough of a store for aliases."""

    def __init__(self) -> None:
        self.catalog, self.blobs = MemoryCatalog(), MemoryBlobs()


steps = st.lists(st.one_of(st.integers(1, 4), st.just("back")), max_size=14)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps)
def test_rollback_is_an_undo(steps: list[int | str]) -> None:
    store = Shelf()
    for number in range(1, 5):
        registered(store, f"run-{number}")
    stack: list[int] = []
    for step in steps:
        if step == "back":
            if len(stack) < 2:
                with pytest.raises(RefusedError):
                    rollback(store, "late", "worse", "ann")
                continue
            stack.pop()
            assert rollback(store, "late", "worse", "ann").version == stack[-1]
        elif not stack or stack[-1] != step:
            stack = [*(number for number in stack if number != step), step]
            point(store, "late", "champion", step, "better", "ann")
        assert current(store, "late").get("champion") == (stack[-1] if stack else None)
