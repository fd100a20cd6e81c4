from __future__ import annotations

from collections import Counter, defaultdict

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.core.errors import ProjectError, UsageError
from drivetrain.data.privacy.anonymity import KAnonymity, k_anonymity
from drivetrain.data.standing import Standing

TOWNS, AGES, ILLS = st.sampled_from(["Ulm", "Bonn", None]), st.integers(0, 3), st.sampled_from(["flu", "gout", None])
ROWS = st.lists(st.tuples(TOWNS, AGES, ILLS), max_size=40)
SCHEMA = {"town": pl.String, "age": pl.Int64, "ill": pl.String}


@given(ROWS, st.integers(1, 6), st.integers(1, 4))
def test_as_counted_by_hand(rows, k, diversity):
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    counts = Counter(row[:2] for row in rows)
    kinds = defaultdict(set)
    for *group, ill in rows:
        kinds[tuple(group)] |= {ill} - {None}
    found = k_anonymity(frame, ["town", "age"], k, sensitive="ill", diversity=diversity)
    assert found.k == min(counts.values(), default=0)
    assert found.groups == len(counts)
    assert found.rows == len(rows)
    assert found.small == sum(count for count in counts.values() if count < k)
    assert list(found.worst) == sorted(counts.values())[:10]
    assert found.diversity == min((len(ills) for ills in kinds.values() if ills), default=None)
    alike = {group for group, ills in kinds.items() if 0 < len(ills) < diversity}
    assert found.alike == sum(counts[group] for group in alike)
    assert found.broken == sum(count for group, count in counts.items() if count < k or group in alike)
    if diversity > 1:
        asked = KAnonymity(["town", "age"], k=k, sensitive="ill", diversity=diversity, spare=0.2)
        assert asked.of(frame) == found
        assert asked.holds(found) == (found.broken <= 0.2 * len(rows))


def test_rows_in_small_groups_and_in_alike_ones_are_spared_together():
    """5 in a group too small and 6 in one too alike: 11 of 95, though neither are more than 7 %."""
    rows = [
        *[("Ulm", 0, f"{at}") for at in range(5)],
        *[("Ulm", 1, "flu")] * 6,
        *[("Bonn", 0, f"{at}") for at in range(84)],
    ]
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    asked = KAnonymity(["town", "age"], k=6, sensitive="ill", diversity=2, spare=0.07)
    found = asked.of(frame)
    assert (found.small, found.alike, found.broken) == (5, 6, 11)
    assert not asked.holds(found)
    assert KAnonymity(["town", "age"], k=6, sensitive="ill", diversity=2, spare=0.12).holds(found)


def test_a_null_hides_no_other_value():
    def alike(*ills):
        frame = pl.DataFrame({"town": ["Ulm"] * len(ills), "ill": ills}, schema_overrides={"ill": pl.String})
        return k_anonymity(frame, ["town"], 2, sensitive="ill", diversity=2).alike

    assert alike("flu", "flu", None) == 3
    assert alike("flu", "gout", None) == 0
    assert alike(None, None) == 0


def test_columns_may_be_called_anything():
    frame = pl.DataFrame({"rows": ["a", "a"], "_values": [1, 1], "kinds": ["x", "y"]})
    found = k_anonymity(frame, ["rows", "_values"], 2, sensitive="kinds", diversity=2)
    assert (found.k, found.diversity, found.broken) == (2, 2, 0)


@given(
    st.dictionaries(st.integers(0, 8), st.tuples(TOWNS, AGES)),
    st.dictionaries(st.integers(0, 8), st.tuples(TOWNS, AGES)),
    st.sets(st.integers(0, 8)),
)
def test_the_table_that_is_judged_is_the_one_that_will_be_kept(before, new, gone):
    def frame(rows):
        flat = [(key, *row) for key, row in rows.items()]
        return pl.DataFrame(flat, schema={"id": pl.Int64, "town": pl.String, "age": pl.Int64}, orient="row")

    keys = pl.DataFrame({"id": sorted(gone - set(new))}, schema={"id": pl.Int64})
    made = Standing(("id",), frame(before).lazy()).with_rows(frame(new), keys, ["town", "age"])
    wanted = {**{key: row for key, row in before.items() if key not in gone}, **new}
    assert Counter(made.rows()) == Counter(wanted.values())
    assert Standing(("id",)).with_rows(frame(new), keys, ["town"]).height == len(new)


@pytest.mark.parametrize(("columns", "k"), [([], 2), (["shoe"], 2), (["town"], 0)])
def test_what_cannot_be_asked(columns, k):
    with pytest.raises(UsageError, match="k-anonymity is of columns"):
        k_anonymity(pl.DataFrame({"town": ["Ulm"]}), columns, k)


@pytest.mark.parametrize(
    "asked",
    [{"columns": []}, {"columns": "zip"}, {"k": 0}, {"spare": 1.0}, {"diversity": 2}, {"sensitive": "ill"},
     {"sensitive": "zip", "diversity": 2}],
)  # fmt: skip
def test_what_cannot_be_declared(asked):
    with pytest.raises(ProjectError, match=r"is of (some columns|a sensitive column)"):
        KAnonymity(**{"columns": ["zip"], **asked})
