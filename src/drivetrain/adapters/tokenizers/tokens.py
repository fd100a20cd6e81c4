"""Texts as the numbers of their tokens."""

from __future__ import annotations

from importlib.util import find_spec

from drivetrain.core.errors import MissingExtra, StoreError


class Tokenizer:
    """Cuts texts as a ``tokenizer.json`` says. Safe to share between threads: cutting changes nothing.

    Args:
        description: The file's bytes.
        longest: Tokens of a text that are kept, those included that stand at its ends.

    Raises:
        MissingExtra: tokenizers is not installed.
        StoreError: It is no description of a tokenizer.
    """

    def __init__(self, description: bytes, longest: int) -> None:
        if find_spec("tokenizers") is None:
            raise MissingExtra("texts are cut by tokenizers", do='Run: pip install "drivetrain[embeddings]"')
        import tokenizers  # noqa: PLC0415 - deferred: an extra

        try:
            self._tokenizer = tokenizers.Tokenizer.from_str(description.decode("utf-8"))
        except Exception as error:  # noqa: BLE001 - it raises bare exceptions
            raise StoreError(f"this describes no tokenizer: {error}", expected="a tokenizer.json") from None
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(longest)
        self.size: int = self._tokenizer.get_vocab_size()
        """How many tokens there are."""

    def ids(self, text: str) -> list[int]:
        """The numbers of a text's tokens; half characters, which no text should have, are read as unknown."""
        ids: list[int] = self._tokenizer.encode(text.encode("utf-8", "replace").decode("utf-8")).ids
        return ids
