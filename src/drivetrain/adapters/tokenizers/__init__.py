"""Hugging Face's tokenizers: a ``tokenizer.json`` cuts texts into tokens, and ONNX Runtime embeds them."""

from drivetrain.adapters.tokenizers.embedding import Embedder
from drivetrain.adapters.tokenizers.tokens import Tokenizer

embedder = Embedder
tokenizer = Tokenizer

__all__ = ["embedder", "tokenizer"]
