"""What every catalog must do."""

from __future__ import annotations

import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from drivetrain.core.errors import Conflict
from drivetrain.core.protocols import Catalog
from drivetrain.core.records import Alias, AuditEntry, Decision, Link, Record, Run
from drivetrain.store.audit import verify
from drivetrain.store.memory import MemoryCatalog

_THREADS = 4
_COMMITS = 10
_names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)


class Note(Record, frozen=True, kw_only=True):
    """A record of the tests' own."""

    kind = "note"

    name: str
    about: str = "nothing"
    text: str = ""
    number: float = 0.0

    @property
    def key(self) -> str:
        """The note's name."""
        return self.name

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.about


class CatalogConformance(ABC):
    """Inherit, name the class ``Test…``, and say how to open an empty catalog."""

    examples = 30
    """How many random histories to try."""

    @abstractmethod
    def fresh(self) -> AbstractContextManager[Catalog]:
        """An empty catalog, closed at the end."""

    @pytest.fixture
    def catalog(self) -> Iterator[Catalog]:
        """An empty catalog."""
        with self.fresh() as catalog:
            yield catalog

    def test_is_empty_at_first(self, catalog: Catalog) -> None:
        """Nothing is found, nothing raises."""
        assert catalog.get(Note, "a") is None
        assert catalog.find(Note) == []
        assert catalog.links() == []
        assert catalog.record_revision("note:a") == 0
        assert catalog.revision() == 0

    def test_gives_back_what_was_kept(self, catalog: Catalog) -> None:
        """Records come back equal, with their own type."""
        note = Note(at=7, name="a:b/c@1", about="ß", text="line\nbreak", number=0.1)
        alias = Alias(at=8, model="late", alias="champion", version=None)
        catalog.commit(note, alias)
        assert catalog.get(Note, note.key) == note
        assert catalog.get(Alias, "late:champion") == alias
        assert catalog.get(Alias, note.key) is None
        assert catalog.find(Note) == [note]

    def test_keeps_floats_to_the_bit(self, catalog: Catalog) -> None:
        """NaN and infinities are values like others."""
        catalog.commit(
            Note(name="nan", number=math.nan), Note(name="inf", number=math.inf), Note(name="e", number=5e-324)
        )
        found = {note.name: note.number for note in catalog.find(Note)}
        assert math.isnan(found["nan"])
        assert found["inf"] == math.inf
        assert found["e"] == 5e-324

    def test_replaces_a_record_with_the_same_key(self, catalog: Catalog) -> None:
        """The last one stands, within one commit too."""
        first = catalog.commit(Note(name="a", text="one", about="x"))
        second = catalog.commit(Note(name="a", text="two"), Note(name="a", text="three", about="y"))
        assert second > first
        assert [note.text for note in catalog.find(Note)] == ["three"]
        assert catalog.find(Note, "x") == []
        assert catalog.record_revision("note:a") == second

    def test_erases_for_good(self, catalog: Catalog) -> None:
        """What is erased is not found any more, others are, and it may be kept again."""
        catalog.commit(Note(name="a", text="one"), Note(name="b"))
        before = catalog.revision()
        assert catalog.erase("note:a", "note:never") == 1
        assert catalog.revision() > before
        assert catalog.get(Note, "a") is None
        assert catalog.record_revision("note:a") == 0
        assert [note.name for note in catalog.find(Note)] == ["b"]
        assert catalog.erase() == 0
        catalog.commit(Note(name="a", text="two"), expect={"note:a": 0})
        assert [note.text for note in catalog.find(Note)] == ["two", ""]

    def test_finds_the_newest_first(self, catalog: Catalog) -> None:
        """By moment, then by commit, then by place in the commit."""
        catalog.commit(Note(name="a", at=2), Note(name="b", at=1), Note(name="c", at=1))
        catalog.commit(Note(name="d", at=1), Note(name="e", at=-3))
        assert [note.name for note in catalog.find(Note)] == ["a", "d", "c", "b", "e"]
        assert [note.name for note in catalog.find(Note, limit=2)] == ["a", "d"]
        assert catalog.find(Note, limit=0) == []

    def test_finds_by_subject_and_moment(self, catalog: Catalog) -> None:
        """``since`` includes its own moment."""
        catalog.commit(*(Note(name=str(at), at=at, about="even" if at % 2 == 0 else "odd") for at in range(10)))
        assert [note.at for note in catalog.find(Note, "even", since=4)] == [8, 6, 4]
        assert [note.at for note in catalog.find(Note, "odd", since=4, limit=1)] == [9]
        assert catalog.find(Note, "neither") == []
        assert catalog.find(Run) == []

    def test_refuses_what_somebody_else_changed(self, catalog: Catalog) -> None:
        """``expect`` compares revisions; a conflict keeps nothing."""
        first = catalog.commit(Note(name="a", text="one"), expect={"note:a": 0})
        with pytest.raises(Conflict, match="note:a"):
            catalog.commit(
                Note(name="a", text="two"), Note(name="b"), links=[Link("x", "y", "z")], expect={"note:a": 0}
            )
        assert catalog.find(Note) == [Note(name="a", text="one")]
        assert catalog.links() == []
        assert catalog.revision() == first
        assert catalog.commit(Note(name="a", text="two"), expect={"note:a": first, "note:b": 0}) > first

    def test_tells_of_what_was_done_in_a_chain(self, catalog: Catalog) -> None:
        """A commit's entries are part of it; one that comes to nothing adds none; notes of no account add none."""
        catalog.commit(Note(name="a"), Decision(at=4, id="d1", about="late", what="promote", because="x", actor="ada"))
        catalog.commit(Decision(at=3, id="d2", about="late", what="rollback", because="y"))
        with pytest.raises(Conflict):
            catalog.commit(Decision(at=9, id="d3", about="late", what="route", because="z"), expect={"note:a": 0})
        chain = sorted(catalog.find(AuditEntry), key=lambda entry: entry.number)
        assert [(one.number, one.what, one.about, one.actor, one.at) for one in chain] == [
            (1, "promote", "late", "ada", 4),
            (2, "rollback", "late", "loop", 3),
        ]
        assert verify(catalog, chain) == []
        assert catalog.body("decision:d3") is None
        catalog.erase("decision:d1")
        assert [flaw.number for flaw in verify(catalog, chain)] == [1]

    def test_a_chain_does_not_fork_between_writers(self, catalog: Catalog) -> None:
        """Many at once make one chain, whole."""

        def write(writer: int) -> None:
            for number in range(_COMMITS):
                catalog.commit(Decision(id=f"{writer}/{number}", about="m", what="alert", because=""))

        threads = [threading.Thread(target=write, args=(writer,)) for writer in range(_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        chain = sorted(catalog.find(AuditEntry), key=lambda entry: entry.number)
        assert len(chain) == _THREADS * _COMMITS
        assert verify(catalog, chain) == []

    def test_keeps_links_once_and_in_order(self, catalog: Catalog) -> None:
        """A link that is there already stays where it is."""
        kept = [
            Link("table:a@1", "run:1", "input"),
            Link("table:a@1", "run:2", "input"),
            Link("run:1", "run:2", "base"),
        ]
        catalog.commit(links=kept)
        catalog.commit(links=[Link("run:0", "run:2", "base"), kept[0], kept[0]])
        assert catalog.links() == [*kept, Link("run:0", "run:2", "base")]
        assert catalog.links(source="table:a@1") == kept[:2]
        assert catalog.links(target="run:2") == [kept[1], kept[2], Link("run:0", "run:2", "base")]
        assert catalog.links(source="table:a@1", target="run:2") == [kept[1]]

    def test_numbers_without_gaps_under_contention(self, catalog: Catalog) -> None:
        """Threads that claim the next number by ``expect`` each get one of their own."""

        def claim() -> None:
            for _ in range(_COMMITS):
                while True:
                    number = len(catalog.find(Note))
                    try:
                        catalog.commit(Note(name=str(number)), expect={f"note:{number}": 0})
                        break
                    except Conflict:
                        continue

        threads = [threading.Thread(target=claim) for _ in range(_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {note.name for note in catalog.find(Note)} == {str(number) for number in range(_THREADS * _COMMITS)}
        assert catalog.revision() == _THREADS * _COMMITS

    def test_agrees_with_a_model_over_random_histories(self) -> None:
        """Any sequence of calls ends as in :class:`~drivetrain.store.memory.MemoryCatalog`."""

        class Bound(_CatalogMachine):
            def open(self) -> AbstractContextManager[Catalog]:
                return suite.fresh()

        suite = self
        run_state_machine_as_test(
            Bound,
            settings=settings(
                max_examples=self.examples,
                stateful_step_count=20,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


class _CatalogMachine(RuleBasedStateMachine):
    """Does the same to a catalog and to the model."""

    def open(self) -> AbstractContextManager[Catalog]:
        """The catalog under test."""
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        """Opens both."""
        self.model = MemoryCatalog()
        self.opened = self.open()
        self.real = self.opened.__enter__()

    @rule(names=st.lists(_names, max_size=3), at=st.integers(-5, 5), about=_names, ends=st.lists(_names, max_size=2))
    def commit(self, names: list[str], at: int, about: str, ends: list[str]) -> None:
        """Keeps records and links in both."""
        records = [Note(name=name, at=at + place, about=about) for place, name in enumerate(names)]
        lineage = [Link(about, end, "role") for end in ends]
        assert self.real.commit(*records, links=lineage) == self.model.commit(*records, links=lineage)

    @rule(name=_names, wanted=st.integers(0, 4))
    def expect(self, name: str, wanted: int) -> None:
        """Both refuse, or neither does."""
        record = Note(name=name, text="expected")
        assert self._outcome(self.real, record, wanted) == self._outcome(self.model, record, wanted)

    def _outcome(self, catalog: Catalog, record: Note, wanted: int) -> int | str:
        try:
            return catalog.commit(record, expect={record.ref: wanted})
        except Conflict:
            return "conflict"

    @rule(about=st.none() | _names, since=st.none() | st.integers(-5, 5), limit=st.none() | st.integers(0, 3))
    def look(self, about: str | None, since: int | None, limit: int | None) -> None:
        """Both find the same."""
        ours = self.real.find(Note, about, since=since, limit=limit)
        assert ours == self.model.find(Note, about, since=since, limit=limit)
        for note in ours:
            assert self.real.get(Note, note.key) == note
            assert self.real.record_revision(note.ref) == self.model.record_revision(note.ref)

    @invariant()
    def same(self) -> None:
        """Revision, records and links agree."""
        if hasattr(self, "real"):
            assert self.real.revision() == self.model.revision()
            assert self.real.find(Note) == self.model.find(Note)
            assert self.real.find(Decision) == []
            assert self.real.links() == self.model.links()

    def teardown(self) -> None:
        """Closes it."""
        if hasattr(self, "opened"):
            self.opened.__exit__(None, None, None)
