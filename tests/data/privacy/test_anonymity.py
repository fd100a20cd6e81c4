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
        kinds[tuple(group)].add(ill)
    found = k_anonymity(frame, ["town", "age"], k, sensitive="ill", diversity=diversity)
    assert found.k == min(counts.values(), default=0)
    assert found.groups == len(counts)
    assert found.rows == len(rows)
    assert found.small == sum(count for count in counts.values() if count < k)
    assert list(found.worst) == sorted(counts.values())[:10]
    assert found.diversity == min(map(len, kinds.values()), default=None)
    assert found.alike == sum(count for group, count in counts.items() if len(kinds[group]) < diversity)
    if diversity > 1:
        asked = KAnonymity(["town", "age"], k=k, sensitive="ill", diversity=diversity, spare=0.2)
        assert asked.of(frame) == found
        assert asked.holds(found) == (max(found.small, found.alike) <= 0.2 * len(rows))


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
