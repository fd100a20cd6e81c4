from __future__ import annotations

import time
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.train.text.tfidf import LONGEST, Tfidf, open_tfidf
from train.text.messages import messages

TEXTS, _ = messages(300)
ODD = [
    "Größe ÄÖÜ ß İstanbul naïve café",
    "日本語 のテキスト です",
    "free FREE Free!!! £100 win_now don't e-mail",
    "a b c",
    "",
    "   \t\n  ",
    "nul\x00byte and lone \ud83d surrogate",
    "👍🏽 family 👨‍👩‍👧 win win win",
    "x" * 300,
]


@pytest.mark.parametrize(
    ("settings", "peer"),
    [
        ({}, {}),
        ({"words": (1, 2), "at_least": 1}, {"ngram_range": (1, 2), "min_df": 1}),
        ({"words": (2, 3)}, {"ngram_range": (2, 3)}),
        ({"sublinear": True}, {"sublinear_tf": True}),
        ({"lowercase": False, "at_least": 1}, {"lowercase": False, "min_df": 1}),
        ({"words": None, "chars": (3, 5)}, {"analyzer": "char_wb", "ngram_range": (3, 5)}),
        (
            {"words": None, "chars": (1, 12 - 4), "at_least": 1},
            {"analyzer": "char_wb", "ngram_range": (1, 8), "min_df": 1},
        ),
    ],
)
def test_it_is_what_scikit_learn_makes(settings: dict[str, Any], peer: dict[str, Any]) -> None:
    learn_from = [*TEXTS[:200], *(text.replace("\ud83d", "") for text in ODD)]
    vectorizer = TfidfVectorizer(**({"min_df": 2} | peer)).fit(learn_from)
    encoder = Tfidf("sms.message", most=1_000_000, **settings).learn(learn_from)
    assert list(encoder.vocabulary.parts[0].terms) == list(vectorizer.get_feature_names_out())
    asked = [*TEXTS, *ODD]
    assert np.max(np.abs(encoder.matrix(asked) - vectorizer.transform(asked).toarray())) < 1e-9


@given(st.lists(st.text(max_size=40), min_size=3, max_size=8), st.text(max_size=60))
def test_of_any_texts(learn_from: list[str], asked: str) -> None:
    kinds: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"words": (1, 2)}, {"ngram_range": (1, 2)}),
        ({"words": None, "chars": (2, 4)}, {"analyzer": "char_wb", "ngram_range": (2, 4)}),
    ]
    for settings, peer in kinds:
        try:
            encoder = Tfidf("sms.message", most=10_000, at_least=1, **settings).learn(learn_from)
        except TrainingError:
            continue
        vectorizer = TfidfVectorizer(**peer).fit(learn_from)
        assert np.allclose(encoder.matrix([asked]), vectorizer.transform([asked]).toarray(), rtol=0, atol=1e-9)


def test_the_most_frequent_pieces_are_kept() -> None:
    learn_from = ["win win win free", "free ok", "ok later", "later at home"]
    encoder = Tfidf("sms.message", most=2, at_least=1).learn(learn_from)
    assert encoder.vocabulary.parts[0].terms == ("free", "win")  # of those that come twice, the first by name


def test_words_and_characters_stand_beside_each_other() -> None:
    encoder = Tfidf("sms.message", chars=(3, 3)).learn(TEXTS)
    words, chars = (len(part.terms) for part in encoder.vocabulary.parts)
    made = encoder.matrix([TEXTS[0]])[0]
    assert len(made) == words + chars == len(encoder.columns)
    assert np.linalg.norm(made[:words]) == pytest.approx(1.0)
    assert np.linalg.norm(made[words:]) == pytest.approx(1.0)
    assert "'win'" in encoder.columns
    assert "'win' in words" in encoder.columns


def test_null_is_as_empty_and_unknown_words_are_nothing() -> None:
    encoder = Tfidf("sms.message").learn(TEXTS)
    assert not encoder.matrix([None, "", "qwertz yxcvb"]).any()


def test_of_a_very_long_text_the_beginning_is_read() -> None:
    encoder = Tfidf("sms.message").learn(TEXTS)
    long = "win " * 10_000
    assert np.array_equal(encoder.matrix([long]), encoder.matrix([long[:LONGEST]]))
    assert not encoder.matrix(["x" * LONGEST + " win"]).any()


def test_one_row_takes_microseconds() -> None:
    """A bound ten times as wide as what it is to take, for machines that are busy."""
    encoder = Tfidf("sms.message", words=(1, 2)).learn(TEXTS)
    into = np.zeros(len(encoder.columns))
    took = []
    for text in TEXTS[:50]:
        started = time.perf_counter()
        encoder.write(text, into)
        took.append(time.perf_counter() - started)
    assert np.median(took) < 1e-3


def test_it_is_kept_whole() -> None:
    encoder = Tfidf("sms.message", words=(1, 2), chars=(2, 3), sublinear=True).learn([*TEXTS, *ODD[:4]])
    feature, again = open_tfidf(msgspec.json.encode(encoder.vocabulary))
    assert feature == "sms.message"
    assert np.array_equal(again.matrix(ODD), encoder.matrix(ODD))


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["hello there"] * 20, "every text of sms.message is the same in the 20 rows that teach"),
        (["a", "b", "?"], "no piece of sms.message comes in 2 texts or more of the 3 that teach"),
        ([None, "", None], "is the same in the 3 rows that teach; found ''"),
    ],
)
def test_nothing_to_learn_is_said(texts: list[str | None], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        Tfidf("sms.message").learn(texts)


@pytest.mark.parametrize(
    "wrong",
    [
        {"words": (2, 1)}, {"words": (0, 1)}, {"chars": (3,)}, {"words": None}, {"most": 0}, {"at_least": 0},
    ],
)  # fmt: skip
def test_what_can_not_be_asked(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="Tfidf"):
        Tfidf("sms.message", **wrong)
