"""The layers of a BERT, under the names that Hugging Face's files give their tensors; and a head on them.

Who imports it has made sure that PyTorch is there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

_HEAD_DROPOUT = 0.1
_FAR = -1e9


class Embeddings(nn.Module):  # type: ignore[misc] # an extra has no types here
    """What each token is, and where."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        super().__init__()
        width = said["hidden_size"]
        self.word_embeddings = nn.Embedding(said["vocab_size"], width)
        self.position_embeddings = nn.Embedding(said["max_position_embeddings"], width)
        self.token_type_embeddings = nn.Embedding(said["type_vocab_size"], width)
        self.LayerNorm = nn.LayerNorm(width, eps=said.get("layer_norm_eps", 1e-12))
        self.dropout = nn.Dropout(said.get("hidden_dropout_prob", 0.1))

    def forward(self, ids: Any) -> Any:  # noqa: ANN401 - a tensor
        """States before the first layer."""
        added = self.position_embeddings.weight[: ids.shape[1]] + self.token_type_embeddings.weight[0]
        return self.dropout(self.LayerNorm(self.word_embeddings(ids) + added))


class Block(nn.Module):  # type: ignore[misc] # as above
    """A dense layer, what came before it added, and a norm."""

    def __init__(self, said: Mapping[str, Any], reads: int) -> None:
        super().__init__()
        self.dense = nn.Linear(reads, said["hidden_size"])
        self.LayerNorm = nn.LayerNorm(said["hidden_size"], eps=said.get("layer_norm_eps", 1e-12))
        self.dropout = nn.Dropout(said.get("hidden_dropout_prob", 0.1))

    def forward(self, made: Any, before: Any) -> Any:  # noqa: ANN401 - tensors
        """States after it."""
        return self.LayerNorm(self.dropout(self.dense(made)) + before)


class Attention(nn.Module):  # type: ignore[misc] # as above
    """What each token takes from the others."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        super().__init__()
        self._width, self._heads = said["hidden_size"], said["num_attention_heads"]
        self.query, self.key, self.value = (nn.Linear(self._width, self._width) for _ in range(3))
        self.dropout = nn.Dropout(said.get("attention_probs_dropout_prob", 0.1))

    def forward(self, states: Any, far: Any) -> Any:  # noqa: ANN401 - tensors
        """What was looked at, by how far it matters."""
        each = self._width // self._heads
        query, key, value = (
            layer(states).view(-1, states.shape[1], self._heads, each).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        shares = torch.softmax(query @ key.transpose(2, 3) / math.sqrt(each) + far, dim=3)
        return (self.dropout(shares) @ value).transpose(1, 2).reshape(-1, states.shape[1], self._width)


class Layer(nn.Module):  # type: ignore[misc] # as above
    """Attention, then two dense layers."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        super().__init__()
        width, inner = said["hidden_size"], said["intermediate_size"]
        self.attention = nn.ModuleDict({"self": Attention(said), "output": Block(said, width)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, inner)})
        self.output = Block(said, inner)

    def forward(self, states: Any, far: Any) -> Any:  # noqa: ANN401 - tensors
        """States after it."""
        states = self.attention["output"](self.attention["self"](states, far), states)
        return self.output(nn.functional.gelu(self.intermediate["dense"](states)), states)


class Encoder(nn.Module):  # type: ignore[misc] # as above
    """Tokens (n, length) and which of them are there, as 1 and 0, → states (n, length, width)."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        super().__init__()
        self.embeddings = Embeddings(said)
        layers = nn.ModuleList(Layer(said) for _ in range(said["num_hidden_layers"]))
        self.encoder = nn.ModuleDict({"layer": layers})

    def forward(self, ids: Any, there: Any) -> Any:  # noqa: ANN401 - tensors
        """The last states."""
        far = (1.0 - there)[:, None, None, :] * _FAR
        states = self.embeddings(ids)
        for layer in self.encoder["layer"]:
            states = layer(states, far)
        return states


class Headed(nn.Module):  # type: ignore[misc] # as above
    """An encoder, and a head that reads the mean of its last states beside other inputs; margins come of it.

    Args:
        said: The encoder's config.
        tokens: How many of the inputs are tokens: the last ones, each its number and one, 0 where there is none.
        inputs: How many inputs there are.
        outputs: How many margins.
    """

    def __init__(self, said: Mapping[str, Any], tokens: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self._others = inputs - tokens
        self.encoder = Encoder(said)
        self.dropout = nn.Dropout(_HEAD_DROPOUT)
        self.head = nn.Linear(said["hidden_size"] + self._others, outputs)

    def forward(self, rows: Any) -> Any:  # noqa: ANN401 - a tensor
        """Margins, shape (n, outputs)."""
        numbers = rows[:, self._others :]
        there = (numbers > 0).to(rows.dtype)
        states = self.encoder(torch.clamp(numbers - 1, min=0).long(), there)
        count = torch.clamp(there.sum(dim=1, keepdim=True), min=1.0)
        pooled = (states * there[:, :, None]).sum(dim=1) / count
        return self.head(self.dropout(torch.cat([rows[:, : self._others], pooled], dim=1)))
