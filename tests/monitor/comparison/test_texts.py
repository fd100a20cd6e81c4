"""Texts and vectors compared: what is seen of other texts, and how seldom anything is said where nothing changed."""

import numpy as np
import polars as pl
import pytest
from tests.train.text.messages import messages

from drivetrain.core.clock import DAY, HOUR
from drivetrain.core.errors import UsageError
from drivetrain.monitor.comparison.compare import compare
from drivetrain.monitor.texts.kinds import kind_of, vectors
from drivetrain.monitor.texts.statistic import EFFECTS, OF_TEXTS, OF_VECTORS

NO_EFFECT = dict.fromkeys(EFFECTS, 0.0)
GERMAN = ["ich", "habe", "heute", "leider", "keine", "zeit", "aber", "morgen", "komme", "ich", "gerne"]


def texts(rows, seed):
    return messages(rows, seed)[0]


def frame(values) -> pl.DataFrame:
    return pl.DataFrame({"message": values}, schema={"message": pl.String})


def said(found, column="message"):
    return {each.statistic: each for each in found.differences if each.feature == column}


def alarms(draw, statistics, tries, **asked):
    """Share of reports that call anything drifted, and by statistic of probabilities below .05."""
    wrong, low = 0, dict.fromkeys(statistics, 0.0)
    for seed in range(tries):
        found = compare(*draw(seed), effects=NO_EFFECT, seed=seed, **asked)
        wrong += bool(found.drifted)
        for each in found.differences:
            low[each.statistic] += (each.p_value <= 0.05) / tries
    return wrong / tries, low


def within(share, tries):
    return share <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / tries)


def test_nothing_changed_is_said_seldom_of_texts():
    tries = 25
    wrong, low = alarms(lambda seed: (frame(texts(150, 2 * seed)), frame(texts(80, 2 * seed + 1))), OF_TEXTS, tries)
    assert within(wrong, tries)
    assert all(within(share, tries) for share in low.values()), low


@pytest.mark.slow
@pytest.mark.parametrize(("first", "second", "tries"), [(200, 200, 200), (2_000, 150, 100)])
def test_nothing_changed_is_said_no_more_often_than_stated(first, second, tries):
    wrong, low = alarms(
        lambda seed: (frame(texts(first, 2 * seed)), frame(texts(second, 2 * seed + 1))), OF_TEXTS, tries
    )
    assert within(wrong, tries)
    assert all(within(share, tries) for share in low.values()), low


def points(dice, rows, level=0.0) -> pl.Series:
    return pl.Series("v", (dice.standard_t(4, size=(rows, 8)) + level).astype(np.float32))


def test_nothing_changed_is_said_seldom_of_vectors():
    tries = 30

    def draw(seed):
        dice = np.random.default_rng(seed)
        return pl.DataFrame({"v": points(dice, 200)}), pl.DataFrame({"v": points(dice, 90)})

    wrong, low = alarms(draw, OF_VECTORS, tries)
    assert within(wrong, tries)
    assert all(within(share, tries) for share in low.values()), low


def topical(seed, days=40):
    """Ten texts a day; each day speaks of its own things more than others do."""
    dice = np.random.default_rng(seed)
    words = np.array(["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"])
    rows, ats = [], []
    for day in range(days):
        shares = dice.dirichlet(np.full(10, 2.0))
        rows += [" ".join(dice.choice(words, dice.integers(4, 9), p=shares)) for _ in range(10)]
        ats += [day * DAY + hour * HOUR for hour in range(10)]
    whole = frame(rows).with_columns(at=pl.Series(ats))
    return whole.head(10 * 30), whole.tail(10 * (days - 30))


def test_texts_in_time_cry_wolf_by_rows_and_not_by_blocks():
    tries = 20
    asked = {"texts": ["message"]}
    by_rows, _ = alarms(lambda seed: tuple(side.drop("at") for side in topical(seed)), OF_TEXTS, tries, **asked)
    by_blocks, low = alarms(topical, OF_TEXTS, tries, time="at", block="1d", **asked)
    assert by_rows > 0.25
    assert within(by_blocks, tries)
    assert all(within(share, tries) for share in low.values()), low


def test_blocks_are_as_long_as_topics_last():
    before, now = topical(1)
    found = compare(before, now, time="at", texts=["message"])
    assert found.null == "blocks of 24 hours"
    other = now.with_columns(pl.col("message").str.replace_all("alpha", "omega"))
    assert compare(before, other, time="at", texts=["message"]).drifted == ("message",)


SPAM = [text for text, label in zip(*messages(4_000, 5), strict=True) if label]
HAM = [text for text, label in zip(*messages(4_000, 5), strict=True) if not label]
SHIFTS = {
    "more spam": (lambda _: SPAM[:300] + HAM[:200], {"words", "mmd"}),
    "other words": (lambda seen: [text.replace("home", "pub") for text in seen], {"words", "unseen_words"}),
    "cut short": (lambda seen: [text[:12] for text in seen], {"length"}),
    "another language": (
        lambda seen: [" ".join(GERMAN[:5]) if at % 5 == 0 else text for at, text in enumerate(seen)],
        {"mmd", "words", "unseen_words"},
    ),
    "another script": (
        lambda seen: ["привет как дела" if at % 5 == 0 else text for at, text in enumerate(seen)],
        {"script", "unseen_words", "words"},
    ),
    "empty": (lambda seen: ["" if at % 8 == 0 else text for at, text in enumerate(seen)], {"script"}),
    "missing": (lambda seen: [None if at % 8 == 0 else text for at, text in enumerate(seen)], {"script"}),
}


@pytest.mark.parametrize("shift", SHIFTS)
def test_other_texts_are_seen(shift):
    change, sees = SHIFTS[shift]
    found = compare(frame(texts(1_500, 1)), frame(change(texts(500, 2))))
    assert {each.statistic for each in found.differences if each.drifted} >= sees, found


def test_words_that_rose_and_fell_are_named():
    now = [text.replace("home", "pub") for text in texts(500, 2)]
    words = said(compare(frame(texts(1_500, 1)), frame(now)))["words"].words
    assert {word.word for word in words if word.score > 0} == {"pub"}
    assert {word.word for word in words if word.score < 0} == {"home"}
    assert words[0].before + words[1].before == pytest.approx(words[0].now + words[1].now, abs=0.08)


def test_vectors_that_moved_are_seen():
    dice = np.random.default_rng(3)
    before, now = points(dice, 1_500), points(dice, 500, 0.25)
    found = said(compare(pl.DataFrame({"v": before}), pl.DataFrame({"v": now})), "v")
    assert found["mmd"].drifted
    assert found["classifier"].drifted
    # As lists they say the same as arrays do.
    listed = compare(pl.DataFrame({"v": before.arr.to_list()}), pl.DataFrame({"v": now.arr.to_list()}))
    assert said(listed, "v")["mmd"].value == found["mmd"].value


def test_what_is_a_text_is_told_apart_from_categories():
    free, few = pl.Series("m", texts(200, 1)), pl.Series("m", ["at home now", "at work now"] * 100)
    assert kind_of(free, free, None) == "text"
    assert kind_of(few, few, None) == "category"
    assert kind_of(free, free, []) == "category"
    assert kind_of(few, few, ["m"]) == "text"
    codes = pl.Series("m", [f"id-{at}" for at in range(200)])
    assert kind_of(codes, codes, None) == "category"
    with pytest.raises(UsageError, match="column 'm' is named as a text, and holds none"):
        kind_of(pl.Series("m", [1.0]), pl.Series("m", [1.0]), ["m"])
    with pytest.raises(UsageError, match="holds no vectors"):
        kind_of(pl.Series("m", [["a"]]), pl.Series("m", [["a"]]), None)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ([""] * 30, [""] * 30),
        ([None] * 30, [None] * 30),
        ([None] * 30, texts(30, 1)),
        (texts(30, 1), [None] * 30),
        (["same old text"] * 30, ["same old text"] * 30),
        (["word"] * 30, ["word"] * 29 + [None]),
        (["12 34 56"] * 30, ["??? !!! ..."] * 30),
        (texts(2, 1), texts(1, 2)),
        (["x" * 3_000_000, *texts(30, 1)], texts(30, 2)),
    ],
)
def test_whatever_texts_there_are_something_is_said(before, now):
    found = compare(frame(before), frame(now), texts=["message"])
    assert len(found.differences) == len(OF_TEXTS)
    assert all(np.isfinite([each.value, each.p_value, each.corrected]).all() for each in found.differences)
    if before == now:
        assert found.drifted == ()


def test_without_words_it_is_said_so():
    found = compare(frame(["!!"] * 30), frame(["??"] * 30), texts=["message"])
    assert found.notes[0].startswith("message: no words to compare (no piece of message comes in 2 texts or more")


def test_no_rows_is_refused():
    with pytest.raises(UsageError, match="there is nothing to compare: the window has no rows"):
        compare(frame(texts(30, 1)), frame([]), texts=["message"])


def test_bad_vectors_count_as_missing_and_are_told_of():
    dice = np.random.default_rng(1)
    good = dice.normal(size=(200, 4)).tolist()
    bad = [[1.0], [1.0, float("nan"), 0.0, 0.0], [0.0, float("inf"), 0.0, 0.0], None, [0.0, None, 0.0, 0.0], []]
    found = compare(pl.DataFrame({"v": good}), pl.DataFrame({"v": good[:100] + bad * 4}, strict=False))
    assert found.notes == (
        "v: of 324 vectors 8 have another length than 4 and 12 hold what is no finite number; they count as missing",
    )
    by_name = said(found, "v")
    assert by_name["no_value"].drifted
    assert by_name["no_value"].null_share == pytest.approx(24 / 124)
    assert not by_name["mmd"].drifted
    told = vectors(pl.Series("v", [[1.0]]), pl.Series("v", [None], dtype=pl.List(pl.Float64)))
    assert told.known.tolist() == [True, False]


def test_vectors_none_of_which_fits_are_missing_all():
    before = pl.DataFrame({"v": np.random.default_rng(1).normal(size=(60, 4)).tolist()})
    now = pl.DataFrame({"v": np.random.default_rng(2).normal(size=(60, 5)).tolist()})
    found = said(compare(before, now), "v")
    assert found["no_value"].drifted
    assert found["mmd"].value == 0.0


def test_a_column_of_vectors_and_one_of_numbers_are_not_compared():
    with pytest.raises(UsageError, match="column 'v' can't be compared with itself"):
        compare(pl.DataFrame({"v": [[1.0]]}), pl.DataFrame({"v": [1.0]}))


def test_columns_stay_in_their_order_beside_numbers():
    dice = np.random.default_rng(1)
    one = pl.DataFrame({"message": texts(60, 1), "x": dice.normal(size=60), "v": dice.normal(size=(60, 3)).tolist()})
    found = compare(one, one, statistics=["ks"])
    assert list(dict.fromkeys(each.feature for each in found.differences)) == ["message", "x", "v"]
    assert found.drifted == ()
