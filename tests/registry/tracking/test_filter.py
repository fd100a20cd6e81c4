from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.errors import UsageError
from drivetrain.registry.tracking.filter import Comparison, Order, parse_filter, parse_orders
from drivetrain.registry.tracking.looking import EXPERIMENTS, LOGGED, MODELS, RUNS, VERSIONS

LANGUAGES = (RUNS, EXPERIMENTS, MODELS, VERSIONS, LOGGED)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics.auc > 0.8", ("metric", "auc", ">", 0.8)),
        ("metric.`val auc/1` <= -1e-3", ("metric", "val auc/1", "<=", -0.001)),
        ('params."a.b" = "z"', ("param", "a.b", "=", "z")),
        ("parameters.depth != '3'", ("param", "depth", "!=", "3")),
        ("tags.mlflow.user = 'me'", ("tag", "mlflow.user", "=", "me")),
        ("tag.`a b` like 'it''s %'", ("tag", "a b", "LIKE", "it's %")),
        ("tags.x ILIKE 'A_'", ("tag", "x", "ILIKE", "A_")),
        ("tags.x IS NULL", ("tag", "x", "IS NULL", None)),
        ("params.x is not null", ("param", "x", "IS NOT NULL", None)),
        ("status = 'FINISHED'", ("attribute", "status", "=", "FINISHED")),
        ("attributes.start_time>=1664067852747", ("attribute", "start_time", ">=", 1664067852747.0)),
        ("run_id IN ('a', \"b\")", ("attribute", "run_id", "IN", ("a", "b"))),
        ("attr.run_id not in ('a')", ("attribute", "run_id", "NOT IN", ("a",))),
        ("`run name` = 'x'", ("attribute", "run_name", "=", "x")),
        ("dataset.digest = 'd'", ("dataset", "digest", "=", "d")),
    ],
)
def test_what_can_be_said_of_runs(text: str, expected: tuple[object, ...]):
    [found] = parse_filter(text, RUNS)
    assert (found.entity, found.key, found.operator, found.value) == expected
    both = parse_filter(f"{text} AND metrics.m < 1 and {text}", RUNS)
    assert [both[0], both[2]] == [found, found]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("metrics.m >> 1", "found '>' at character 12; expected a number"),
        ("metrics.m = 'x'", "expected a number"),
        ("metrics.m LIKE 'x'", "expected one of =, !=, >"),
        ("params.p = 3", "expected text in quotes"),
        ("params.p = `x`", "expected text in quotes"),
        ("params.p > 'x'", "as its values are text"),
        ("nothing = 'x'", "no attribute 'nothing'"),
        ("metrix.m > 1", "found 'metrix'"),
        ("metrics.m > 1 OR metrics.m < 0", "found 'OR' at character 15; expected AND"),
        ("metrics.m > 1 AND", "found the end"),
        ("metrics. > 1", "expected a key"),
        ("params.p = 'open", 'found "\'"'),
        ("run_id IN ()", "expected text in quotes"),
        ("run_id IN ('a'", "expected a comma or the list's end"),
        ("run_id IN 'a'", "expected a list"),
        ("metrics.m > 1; DROP TABLE records", "found ';'"),
        ("metrics.m > 1" + " AND metrics.m > 1" * 200, "at most 200"),
        ("x" * 10_001, "at most 10,000"),
    ],
)
def test_what_is_no_filter_is_refused_in_a_sentence(text: str, says: str):
    with pytest.raises(UsageError) as caught:
        parse_filter(text, RUNS)
    assert says in str(caught.value)


def test_orders():
    found = parse_orders(["metrics.`a b` DESC", "start_time", "params.p asc", "Created DESC"], RUNS)
    assert found == [
        Order("metric", "a b", True),
        Order("attribute", "start_time", False),
        Order("param", "p", False),
        Order("attribute", "start_time", True),
    ]
    for wrong in ("", "metrics.m UP", "metrics.m DESC DESC", "start_time, end_time", "loss"):
        with pytest.raises(UsageError):
            parse_orders([wrong], RUNS)


_keys = st.text(st.characters(exclude_characters='`"\x00', exclude_categories=["Cs"]), min_size=1, max_size=8)
_texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)
_numbers = st.floats(allow_nan=False, allow_infinity=False)
_metric = st.builds(Comparison, st.just("metric"), _keys, st.sampled_from(["=", "!=", ">", "<", ">=", "<="]), _numbers)
_text = st.builds(
    Comparison, st.sampled_from(["param", "tag"]), _keys, st.sampled_from(["=", "!=", "LIKE", "ILIKE"]), _texts
)
_list = st.builds(
    Comparison,
    st.just("tag"),
    _keys,
    st.sampled_from(["IN", "NOT IN"]),
    st.lists(_texts, min_size=1, max_size=3).map(tuple),
)
_null = st.builds(Comparison, st.just("tag"), _keys, st.sampled_from(["IS NULL", "IS NOT NULL"]), st.none())


def written(one: Comparison) -> str:
    value = one.value
    if isinstance(value, tuple):
        said = "(" + ", ".join(quoted(each) for each in value) + ")"
    else:
        said = "" if value is None else quoted(value) if isinstance(value, str) else repr(value)
    return f"{one.entity}s.`{one.key}` {one.operator} {said}"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@settings(max_examples=150, deadline=None)
@given(st.lists(_metric | _text | _list | _null, max_size=5))
def test_what_is_written_is_what_is_read(comparisons: list[Comparison]):
    assert parse_filter(" AND ".join(map(written, comparisons)), RUNS) == comparisons


_WORDS = "metrics . params tags ` ' = != >= < > LIKE IN NOT IS NULL AND ( ) , 1 -2.5 1e9 auc status DESC x"
_words = st.sampled_from([*_WORDS.split(" "), '"'])


@settings(max_examples=400, deadline=None)
@given(st.lists(_words | st.text(max_size=4), max_size=12).map(" ".join) | st.text(max_size=60))
def test_whatever_is_asked_it_is_read_or_refused(text: str):
    for language in LANGUAGES:
        for read, said in ((parse_filter, text), (parse_orders, [text])):
            try:
                read(said, language)
            except UsageError:
                continue  # anything else fails the test
