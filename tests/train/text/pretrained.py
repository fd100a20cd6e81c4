"""Small pretrained models in folders, as their makers publish them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def write_tokenizer(folder: Path, words: Sequence[str]) -> None:
    """Words by blanks, [CLS] and [SEP] at the ends, as BERT's tokenizers write it."""
    vocabulary = {word: at for at, word in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", *words))}
    ends = [{"SpecialToken": {"id": name, "type_id": 0}} for name in ("[CLS]", "[SEP]")]
    description = {
        "version": "1.0",
        "truncation": None,
        "padding": {
            "strategy": {"Fixed": 128}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0,
            "pad_type_id": 0, "pad_token": "[PAD]",
        },
        "added_tokens": [],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [ends[0], {"Sequence": {"id": "A", "type_id": 0}}, ends[1]],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {
                name: {"id": name, "ids": [vocabulary[name]], "tokens": [name]} for name in ("[CLS]", "[SEP]")
            },
        },
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"},
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(json.dumps(description))


def write_graph(path: Path, table: np.ndarray) -> None:
    """An ONNX graph that looks the vector of each token up in a table."""
    import onnx  # noqa: PLC0415 - takes a while

    made = onnx.helper.make_graph(
        [onnx.helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])],
        "lookup",
        [
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.INT64, ["rows", "tokens"])
            for name in ("input_ids", "attention_mask")
        ],
        [onnx.helper.make_tensor_value_info("last_hidden_state", onnx.TensorProto.FLOAT, ["rows", "tokens", None])],
        [onnx.numpy_helper.from_array(table.astype(np.float32), "table")],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    opset = [onnx.helper.make_opsetid("", 17)]
    path.write_bytes(onnx.helper.make_model(made, opset_imports=opset, ir_version=8).SerializeToString())


def write_bert(folder: Path, words: int, *, width: int = 24, layers: int = 2, heads: int = 3, seed: int = 0) -> None:
    """A BERT that has learned nothing yet, in the files and under the names of Hugging Face's ``BertModel``."""
    from safetensors.numpy import save_file  # noqa: PLC0415 - an extra

    chance = np.random.default_rng(seed)
    inner, positions = 2 * width, 32
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (words, width),
        "embeddings.position_embeddings.weight": (positions, width),
        "embeddings.token_type_embeddings.weight": (2, width),
        "embeddings.LayerNorm.weight": (width,),
        "embeddings.LayerNorm.bias": (width,),
        "pooler.dense.weight": (width, width),
        "pooler.dense.bias": (width,),
    }
    for at in range(layers):
        before = f"encoder.layer.{at}."
        for name, (out, reads) in {
            "attention.self.query": (width, width), "attention.self.key": (width, width),
            "attention.self.value": (width, width), "attention.output.dense": (width, width),
            "intermediate.dense": (inner, width), "output.dense": (width, inner),
        }.items():  # fmt: skip
            shapes |= {f"{before}{name}.weight": (out, reads), f"{before}{name}.bias": (out,)}
        for name in ("attention.output", "output"):
            shapes |= {f"{before}{name}.LayerNorm.{part}": (width,) for part in ("weight", "bias")}
    tensors = {
        name: (np.ones(shape) if name.endswith("LayerNorm.weight") else 0.3 * chance.normal(size=shape)).astype(
            np.float32
        )
        for name, shape in shapes.items()
    }
    config = {
        "model_type": "bert", "architectures": ["BertModel"], "hidden_act": "gelu", "hidden_size": width,
        "num_attention_heads": heads, "num_hidden_layers": layers, "intermediate_size": inner, "vocab_size": words,
        "max_position_embeddings": positions, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
        "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "pad_token_id": 0,
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
