"""Words: cut as models cut them, and moved as Monroe, Colaresi and Quinn have it, worked by hand."""

import math

import numpy as np
import polars as pl
import pytest

from drivetrain.monitor.texts.script import script_of
from drivetrain.monitor.texts.words import cut, log_odds, moved, spread


def test_log_odds_worked_by_hand():
    """Ten of 100 words against 30 of 100, with a prior of one for each of two words."""
    first, second, prior = np.array([10.0, 90.0]), np.array([30.0, 70.0]), np.array([1.0, 1.0])
    # Equation 15: log((30+1)/(100+2-30-1)) - log((10+1)/(100+2-10-1)); 20: its variance 1/(30+1) + 1/(10+1).
    delta = math.log(31 / 71) - math.log(11 / 91)
    assert log_odds(first, second, prior)[0] == pytest.approx(delta / math.sqrt(1 / 31 + 1 / 11))
    assert log_odds(first, second, prior)[0] == pytest.approx(3.6594, abs=1e-4)


def test_a_word_that_nobody_said_before_is_finite_and_rose():
    found = log_odds(np.array([0.0, 1_000.0]), np.array([40.0, 960.0]))
    assert np.isfinite(found).all()
    assert found[0] > 4
    assert found[1] < 0


def test_words_are_said_to_move_seldom_where_nothing_did():
    dice, wrong = np.random.default_rng(1), 0
    shares = 1 / np.arange(1, 301)
    shares /= shares.sum()
    names = [f"word{'abcdefghij'[at % 10]}" for at in range(300)]
    for _ in range(200):
        sides = [dice.multinomial(many, shares).astype(float) for many in (8_000, 3_000)]
        wrong += bool(moved(names, sides[0], sides[1], (800, 300)))
    assert wrong <= 200 * 0.05 + 3 * math.sqrt(200 * 0.05 * 0.95)


def test_what_moved_is_named_and_numbers_are_not():
    names = ["free", "later", "07700900123", "same"]
    first, second = np.array([10.0, 200.0, 0.0, 300.0]), np.array([150.0, 20.0, 200.0, 300.0])
    found = moved(names, np.append(first, 5_000), np.append(second, 5_000), (1_000, 1_000))
    assert [word.word for word in found] == ["free", "later"]
    assert (found[0].before, found[0].now) == (0.01, 0.15)


def test_each_word_counts_once_a_text():
    texts = ["Win WIN now", None, "", "a b c", "now"]
    found = cut(texts)
    assert found.names == ("win", "now")
    assert found.texts.tolist() == [0, 0, 4]
    assert found.words.tolist() == [0, 1, 1]
    assert found.lengths.tolist() == [2, 0, 0, 0, 1]
    assert spread(texts) == {"win": 1, "now": 2}


def test_of_a_huge_text_the_beginning_is_read():
    assert cut(["word " * 1_000_000 + "end"]).names == ("word",)


def test_scripts_are_told_by_most_letters():
    texts = ["ok да нет привет", "καλημέρα", "こんにちは", "你好吗", "안녕", "مرحبا", "!!!", "  ", "", "ไทย", None]
    assert script_of(pl.Series(texts)).to_list() == [
        "Cyrillic", "Greek", "Hiragana", "Han", "Hangul", "Arabic", "none", "empty", "empty", "Thai", None,
    ]  # fmt: skip
