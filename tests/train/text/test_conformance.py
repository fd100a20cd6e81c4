"""Every way of reading texts, through the suite that is shipped."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from drivetrain.testing.text import TextConformance
from drivetrain.train.text.embed import Embed
from drivetrain.train.text.encoder import Text
from drivetrain.train.text.tfidf import Tfidf
from drivetrain.train.text.tokens import Tokens
from train.text.messages import COMMON, UNWANTED
from train.text.pretrained import write_graph, write_tokenizer

WORDS = (*COMMON, *UNWANTED)
cut = pytest.mark.skipif(
    find_spec("tokenizers") is None, reason='tokenizers is not installed: "drivetrain[embeddings]"'
)


class TestTfidf(TextConformance):
    reads_nothing_as_nothing = True

    @pytest.fixture
    def declared(self) -> Text:
        return Tfidf("a.text", words=(1, 2), chars=(2, 3), most=300)


@cut
class TestEmbed(TextConformance):
    @pytest.fixture
    def declared(self, tmp_path: Path) -> Text:
        write_tokenizer(tmp_path / "model", WORDS)
        table = np.random.default_rng(4).normal(size=(4 + len(WORDS), 12))
        write_graph(tmp_path / "model" / "model.onnx", table)
        return Embed("a.text", str(tmp_path / "model"))


@cut
class TestTokens(TextConformance):
    @pytest.fixture
    def declared(self, tmp_path: Path) -> Text:
        write_tokenizer(tmp_path / "model", WORDS)
        return Tokens("a.text", str(tmp_path / "model"), longest=8)

    def test_tokens_are_their_numbers_and_one(self, declared: Text) -> None:
        known = {word: 5 + at for at, word in enumerate(WORDS)}
        made = declared.learn([]).matrix(["free prize qwertz", "see " * 20])
        assert made[0].tolist() == [3.0, known["free"], known["prize"], 2.0, 4.0, 0.0, 0.0, 0.0]
        assert made[1].tolist() == [3.0, *[known["see"]] * 6, 4.0]
