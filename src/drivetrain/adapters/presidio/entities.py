"""Named entities by Presidio's analyzer over a spaCy model (microsoft.github.io/presidio)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import spacy
from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from presidio_analyzer.predefined_recognizers import SpacyRecognizer

from drivetrain.core.errors import MissingExtra

_KINDS = {"PERSON": "name", "LOCATION": "location"}
_TOGETHER = 64


class Entities:
    """Finds people and places.

    Args:
        model: A spaCy model that is installed; its first letters name the language.

    Raises:
        MissingExtra: It is not.
    """

    def __init__(self, model: str) -> None:
        if not spacy.util.is_package(model):
            raise MissingExtra(
                f"spaCy has no model {model!r}",
                do=f"Run: python -m spacy download {model}, or name one that pip installed",
            )
        self._language = model.partition("_")[0]
        recognizer = SpacyRecognizer(supported_language=self._language, supported_entities=list(_KINDS))
        engine = AnalyzerEngine(
            registry=RecognizerRegistry(recognizers=[recognizer], supported_languages=[self._language]),
            nlp_engine=SpacyNlpEngine(models=[{"lang_code": self._language, "model_name": model}]),
            supported_languages=[self._language],
        )
        self._engine = BatchAnalyzerEngine(engine)
        self._why = f"{{}}, by {model}"

    def find(self, texts: Sequence[str]) -> Iterator[list[tuple[str, int, int, float, str]]]:
        """Of each text: kind, first character, after the last, how sure, and why."""
        found = self._engine.analyze_iterator(
            texts, language=self._language, entities=list(_KINDS), batch_size=_TOGETHER
        )
        for results in found:
            yield [
                (_KINDS[one.entity_type], one.start, one.end, one.score, self._why.format(one.entity_type.lower()))
                for one in results
            ]


entities = Entities
