"""A BERT encoder with a head, read from the files that its makers publish and fitted further on one's own labels.

Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding" (NAACL 2019). The
tensors' names are those of Hugging Face's ``BertModel``, so its files are read as they are; the module is ours, because
it must be exported whole: its inputs are the floats of encoded rows.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from drivetrain.core.errors import TrainingError


def bert(config: Path, weights: Path, tokens: int, inputs: int, outputs: int) -> Any:  # noqa: ANN401 - torch is an extra
    """A pretrained encoder with a new head.

    Args:
        config: Its ``config.json``.
        weights: Its ``model.safetensors``.
        tokens: How many of the inputs are tokens: the last ones, each its number and one, 0 where there is none.
        inputs: How many inputs there are; those before the tokens go to the head as they are.
        outputs: How many margins are wanted.

    Raises:
        TrainingError: It is no BERT, or reads fewer tokens.
    """
    from safetensors.torch import load_file  # noqa: PLC0415 - deferred: an extra

    from drivetrain.adapters.torch.encoder import Headed  # noqa: PLC0415 - as above

    said = json.loads(config.read_text("utf-8"))
    if said.get("model_type") != "bert" or said.get("hidden_act", "gelu") != "gelu":
        raise TrainingError(
            f"{config} describes another model than is fitted here",
            found=f"{said.get('model_type')!r} with {said.get('hidden_act', 'gelu')!r}",
            expected="'bert' with 'gelu', as BERT and MiniLM are",
        )
    if tokens > said["max_position_embeddings"]:
        raise TrainingError(
            f"{config} reads no text of so many tokens", found=tokens,
            expected=f"at most {said['max_position_embeddings']}", do="Ask for fewer with longest=",
        )  # fmt: skip
    made = Headed(said, tokens, inputs, outputs)
    published = {_name(name): tensor.float() for name, tensor in load_file(weights).items()}
    wanted = set(made.encoder.state_dict())
    missing = sorted(wanted - set(published))
    if missing:
        raise TrainingError(f"{weights} lacks {len(missing)} tensors of a BERT", expected=missing[0])
    try:
        made.encoder.load_state_dict({name: published[name] for name in wanted})
    except RuntimeError as error:
        raise TrainingError(f"{weights} does not fit its config: {str(error).splitlines()[-1].strip()}") from None
    return made


def _name(name: str) -> str:
    """A tensor's name: without what comes before it in files of whole models, and as it was before 2018 still is."""
    return (
        name.removeprefix("bert.")
        .replace("LayerNorm.gamma", "LayerNorm.weight")
        .replace("LayerNorm.beta", "LayerNorm.bias")
    )
