"""A window's texts against those of training: how seldom nothing is called drift, what is seen, what is kept."""

from __future__ import annotations

import json
import re

import msgspec
import numpy as np
import polars as pl
import pytest
from tests.train.text.messages import messages

from drivetrain.core.clock import DAY
from drivetrain.core.records import Field, InputSchema, Prediction
from drivetrain.features.texts import carrying
from drivetrain.monitor.against import Against
from drivetrain.monitor.reference import Reference, load, profile
from drivetrain.monitor.spec import Drift, Monitor
from drivetrain.monitor.text_drift import measure_texts, texts_logged, words_moved
from drivetrain.monitor.texts.profile import FEWEST, MOST_WORDS, Kept
from drivetrain.monitor.window import Watched, assess
from drivetrain.serve.log.columns import FEEDBACK, predictions_frame
from drivetrain.train.text.tfidf import Tfidf, TfidfEncoder

NAME = "sms.message"
SCHEMA = InputSchema((Field(NAME, "text"), Field("sms.digits")))
WINDOW = 7


def encoder_of(texts) -> TfidfEncoder:
    return Tfidf(NAME, most=300).learn(texts)


def reference_of(texts, days, *, named=True) -> tuple[Reference, TfidfEncoder]:
    lengths = np.array([float("nan") if text is None else len(text) for text in texts])
    rows = carrying(np.column_stack([lengths, np.zeros(len(texts))]), {0: texts})
    encoder = encoder_of(texts)
    data = profile(rows, np.full(len(texts), 0.5), days * DAY, SCHEMA, texts=[Kept(NAME, encoder, named)])
    return load(data), encoder


def measured(world, texts, *, false_alarm=0.15):
    reference, encoder = world
    found = measure_texts(reference, {NAME: texts}, {NAME: encoder}, days=WINDOW, false_alarm=false_alarm)
    return {one.statistic: one for one in found}


def stretch(seed, days, a_day=12):
    return messages(days * a_day, seed)[0], np.repeat(np.arange(days), a_day)


@pytest.fixture(scope="module")
def world() -> tuple[Reference, TfidfEncoder]:
    return reference_of(*stretch(1, 140))


def test_nothing_changed_is_called_drift_no_more_often_than_stated():
    """Twelve references, eight windows each: .15 for either statistic or both; 3 deviations more are allowed."""
    wrong = total = 0
    for seed in range(12):
        world = reference_of(*stretch(100 + seed, 100))
        for window in range(8):
            found = measured(world, stretch(1_000 + 20 * seed + window, WINDOW)[0])
            assert set(found) == {"words", "mmd"}
            wrong += any(one.drifted for one in found.values())
            total += 1
    assert wrong <= total * 0.15 + 3 * np.sqrt(total * 0.15 * 0.85)


def wavy(seed, days, a_day=12):
    """Messages whose share of unwanted ones goes up and down over weeks, as seasons do."""
    dice = np.random.default_rng(seed)
    texts, labels = messages(12 * days * a_day, seed)
    by_label = [[text for text, label in zip(texts, labels, strict=True) if label == kind] for kind in (0, 1)]
    phase = dice.uniform(0, 2 * np.pi)
    found = []
    for day in range(days):
        share = 0.35 + 0.3 * np.sin(phase + 2 * np.pi * day / 42)
        found += [by_label[int(dice.random() < share)].pop() for _ in range(a_day)]
    return found, np.repeat(np.arange(days), a_day)


def test_texts_that_come_and_go_with_the_weeks_are_no_drift():
    """What training has seen in some week is no drift in another."""
    wrong = total = 0
    for seed in range(8):
        world = reference_of(*wavy(seed, 168))
        for window in range(6):
            found = measured(world, wavy(500 + 10 * seed + window, WINDOW)[0])
            wrong += any(one.drifted for one in found.values())
            total += 1
    assert wrong <= total * 0.15 + 3 * np.sqrt(total * 0.15 * 0.85)


def test_a_short_reference_is_held_against_theory():
    """Fewer than six weeks: halves dealt by lot at training tell what sampling does."""
    wrong = 0
    for seed in range(30):
        world = reference_of(*stretch(300 + seed, 4, a_day=60))
        found = measured(world, stretch(400 + seed, 3, a_day=60)[0])
        assert all(one.p_value is None for one in found.values())
        wrong += any(one.drifted for one in found.values())
    assert wrong <= 30 * 0.15 + 3 * np.sqrt(30 * 0.15 * 0.85)


SHIFTS = {
    "other words": lambda seen: [text.replace("home", "pub").replace("later", "never") for text in seen],
    "cut short": lambda seen: [text[:10] for text in seen],
    "unwanted alone": lambda _: [text for text, label in zip(*messages(400, 9), strict=True) if label][:84],
    "another language": lambda seen: [
        "ich habe heute leider keine zeit" if at % 3 == 0 else text for at, text in enumerate(seen)
    ],
}


@pytest.mark.parametrize("shift", SHIFTS)
def test_other_texts_are_seen(world, shift):
    found = measured(world, SHIFTS[shift](stretch(7, WINDOW)[0]))
    assert any(one.drifted for one in found.values()), found


def test_words_are_named_where_they_may_be(world):
    now = [text.replace("home", "pub") for text in stretch(7, 21)[0]]
    [column] = world[0].texts
    told = words_moved(column, now)
    assert told.startswith("share of texts in training, and now, of words that rose: 'pub' (under 1 %, ")
    assert "; that fell: 'home' (" in told


def test_words_of_a_text_that_is_personal_by_now_are_not_named(world):
    reference, encoder = world
    now = SHIFTS["other words"](stretch(7, WINDOW)[0])
    said = []
    for unnamed in (frozenset(), frozenset({NAME})):
        found = measure_texts(reference, {NAME: now}, {NAME: encoder}, days=WINDOW, false_alarm=0.15, unnamed=unnamed)
        [words] = [one for one in found if one.statistic == "words"]
        said.append(words)
    assert "'pub'" in said[0].words
    assert said[1] == msgspec.structs.replace(said[0], words="")


def test_of_texts_whose_words_may_not_be_named_none_is_kept_and_they_are_watched():
    silent = reference_of(*stretch(1, 140), named=False)
    [column] = silent[0].texts
    assert column.words == ()
    assert set(column.noise) == {"mmd"}
    wrong = 0
    for seed in range(40):
        found = measured(silent, stretch(2_000 + seed, WINDOW)[0])
        assert set(found) == {"mmd"}
        wrong += found["mmd"].drifted
    assert wrong <= 40 * 0.15 + 3 * np.sqrt(40 * 0.15 * 0.85)
    found = measured(silent, SHIFTS["unwanted alone"](None))
    assert found["mmd"].drifted
    assert found["mmd"].words == ""
    assert words_moved(column, SHIFTS["unwanted alone"](None)) == ""


def many_words(seed, rows=3_000, *, often=(), a_day=30):
    """Texts of 150 words, each in a share of .04 to .34; words of ``often`` in a half."""
    dice = np.random.default_rng(seed)
    names = np.array([f"word{chr(97 + at // 26)}{chr(97 + at % 26)}" for at in range(150)])
    shares = np.linspace(0.34, 0.04, 150)
    shares[np.isin(names, often)] = 0.5
    texts = [" ".join(names[row]) for row in dice.random((rows, 150)) < shares]
    return texts, np.repeat(np.arange(rows // a_day), a_day), dict(zip(names.tolist(), shares.tolist(), strict=True))


def test_a_frequent_word_that_is_not_kept_is_bounded_by_the_rarest_that_is():
    texts, days, shares = many_words(1)
    reference, _ = reference_of(texts, days)
    [column] = reference.texts
    assert len(column.words) == MOST_WORDS
    assert words_moved(column, many_words(2, 600)[0]) == ""
    often = [name for name, share in shares.items() if name not in column.words and 0.1 < share < 0.15][:2]
    told = words_moved(column, many_words(3, 600, often=often)[0])
    rose = told.removeprefix("share of texts in training, and now, of words that rose: ")
    found = re.findall(r"'(\w+)' \(under (\d+) %, (\d+) %\)", rose)
    assert {name for name, _, _ in found} == set(often)
    rarest = min(sum(name in text.split() for text in texts) / len(texts) for name in column.words)
    for name, before, _ in found:
        assert sum(name in text.split() for text in texts) / len(texts) < int(before) / 100
        assert rarest <= int(before) / 100 < rarest + 0.01


def test_a_word_is_said_to_rise_or_fall_where_its_share_of_texts_does():
    """Every tenth text loses all its words, others most of thirty frequent ones: odds rise for all the others."""
    texts, days, _ = many_words(1)
    reference, _ = reference_of(texts, days)
    [column] = reference.texts
    lost = set(column.words[:30])
    now = [
        " ".join(word for at, word in enumerate(text.split()) if row % 10 and (word not in lost or at % 3 == 0))
        for row, text in enumerate(texts)
    ]
    told = words_moved(column, now)
    assert "rose" not in told
    fell = re.findall(r"'(\w+)' \(([\d.]+) %, ([\d.]+) %\)", told)
    assert len(fell) == 3
    assert {name for name, _, _ in fell} <= lost
    assert all(float(after) < float(before) for _, before, after in fell)


def test_a_rare_word_and_a_number_are_neither_kept_nor_named(world):
    texts, days = stretch(1, 100)
    texts = [f"{text} zanzibar" if at < 8 else f"{text} 07700900" if at % 2 else text for at, text in enumerate(texts)]
    reference, _ = reference_of(texts, days)
    [column] = reference.texts
    assert "zanzibar" not in column.words
    assert "07700900" not in column.words
    now = [
        f"{text} timbuktu" if at < FEWEST - 1 else f"{text} 0123456" for at, text in enumerate(stretch(7, WINDOW)[0])
    ]
    assert "timbuktu" not in words_moved(column, now)
    assert "0123456" not in words_moved(column, now)
    assert "home" in world[0].texts[0].words


def test_days_of_few_texts_keep_nothing():
    texts, days = stretch(1, 100)
    lone = np.append(days, [100, 101, 101])
    reference, _ = reference_of([*texts, "one alone", "home later", None], lone)
    [column] = reference.texts
    assert not column.counted[100:].any()
    assert not column.lying[100:].any()
    assert column.nulls[100:] == (0, 1)
    assert column.counted[:100, -1].tolist() == [12.0] * 100


@pytest.mark.parametrize(
    "texts",
    [[""] * 30, [None] * 30, ["word"] * 30, ["home " * 100_000] * 30, ["same text again"] * 200, ["home"] * 4, []],
)
def test_whatever_texts_come_the_watch_goes_on(world, texts):
    found = measured(world, texts)
    assert all(np.isfinite([one.value, one.threshold]).all() for one in found.values())
    if sum(text is not None for text in texts) < FEWEST:
        assert found == {}


@pytest.mark.parametrize("texts", [["same words here"] * 99 + ["other ones here"], [None] * 60 + ["free prize"] * 40])
def test_whatever_texts_taught_there_is_a_profile(texts):
    world = reference_of(texts, np.repeat(np.arange(20), 5))
    assert all(np.isfinite(one.value) for one in measured(world, texts).values())


def test_a_profile_from_before_has_no_texts(world):
    plain = load(profile(np.zeros((9, 2)), np.zeros(9), np.arange(9) * DAY, SCHEMA))
    assert plain.texts == ()
    assert measured((plain, world[1]), ["free prize"] * 30) == {}


def test_a_report_says_that_texts_are_held_against_training(world):
    reference, encoder = world
    texts = SHIFTS["other words"](stretch(7, WINDOW)[0])
    ats = [day * DAY + at for day in range(140, 147) for at in range(12)]
    rows = [
        Prediction(
            request_id=str(at), row=0, endpoint="spam", at=at, logged_at=at, model="spam", version=1, role="champion",
            entity=str(at), request=msgspec.Raw(json.dumps({"message": text}).encode()),
            values=[float(len(text)), 0.0], ages=[], prediction=0.5, latency_us=500,
        )
        for at, text in zip(ats, texts, strict=True)
    ]  # fmt: skip

    def assessed(against, texts_too=True):
        mine = reference if texts_too else msgspec.structs.replace(reference, texts=())
        return assess(
            predictions_frame(rows),
            pl.DataFrame(schema=FEEDBACK),
            monitor=Monitor(endpoint="spam", performance=None, drift=Drift(), min_predictions=1),
            watched=Watched(model="spam", version=1, reference=mine, against=against, encoders={NAME: encoder}),
            since=140 * DAY,
            until=147 * DAY,
        )

    note = "texts are held against the version's training rows: no other history of them is kept"
    found = assessed(Against(reference, "trailing"))
    assert found.report.against == "trailing"
    assert found.report.against_note == note
    [said] = [one.message for one in found.findings if one.rule == "drift"]
    assert said.endswith(f"({note.capitalize()}.)")
    assert assessed(Against(reference, "trailing"), texts_too=False).report.against_note == ""
    assert assessed(None).report.against_note == ""
    assert assessed(Against(reference, note="too few")).report.against_note == "too few"


def test_a_text_of_which_nothing_is_kept_is_watched_by_its_length(world):
    bare = msgspec.structs.replace(world[0].texts[0], words=(), sums=b"", named=False)
    reference = msgspec.structs.replace(world[0], texts=(bare,))
    requests = pl.DataFrame({"request": ['{"message": "free"}']})
    assert texts_logged(requests, np.array([[4.0, 0.0]]), reference, frozenset()) == {}


def test_texts_are_those_of_the_request_where_their_lengths_are(world):
    reference, _ = world
    values = np.array([[4.0, 0.0], [2.0, 0.0], [np.nan, 0.0]])
    requests = pl.DataFrame({"request": ['{"message": "free"}', '{"message": "hi"}', '{"other": 1}']})
    assert texts_logged(requests, values, reference, frozenset()) == {NAME: ["free", "hi", None]}
    assert texts_logged(requests, values + 1, reference, frozenset()) == {}  # something else was made of the field
    assert texts_logged(requests, values, reference, frozenset({NAME})) == {}
    assert texts_logged(requests.drop("request"), values, reference, frozenset()) == {}


@pytest.mark.parametrize("field", ['the "note"', "note\\"])
def test_no_name_of_a_field_stops_the_watch(world, field):
    name = f"sms.{field}"
    reference = msgspec.structs.replace(
        world[0],
        columns=tuple(
            msgspec.structs.replace(one, name=name if one.name == NAME else one.name) for one in world[0].columns
        ),
        texts=(msgspec.structs.replace(world[0].texts[0], name=name),),
    )
    requests = pl.DataFrame({"request": [json.dumps({field: "free"})]})
    assert texts_logged(requests, np.array([[4.0, 0.0]]), reference, frozenset()) == {name: ["free"]}
