"""What a bandit makes of the rewards that have come: new shares, new beliefs."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl

from drivetrain.core.records import Arm, Policy
from drivetrain.experiment.beliefs import linear_belief, noise_of, thompson_shares
from drivetrain.experiment.canary import LABEL
from drivetrain.features.exact import Floats
from drivetrain.serve.routing.best import LEAST_SHARE


def learned(policy: Policy, rows: pl.DataFrame) -> tuple[Arm, ...]:
    """A bandit's arms after what its requests have shown.

    Args:
        policy: Its policy, ``thompson`` or ``contextual``.
        rows: Every answer of its experiment: ``arm``, ``failed``, ``prediction``, ``label``, and ``request``, JSON.
    """
    own = rows.filter(pl.col(LABEL).is_not_null(), pl.col("failed") == 0)
    by_arm = {arm.name: own.filter(pl.col("arm") == arm.name) for arm in policy.arms}
    rewards = [_rewards(policy, by_arm[arm.name]) for arm in policy.arms]
    if policy.mode == "thompson":
        shares, beliefs = thompson_shares(rewards, LEAST_SHARE)
        return tuple(
            msgspec.structs.replace(arm, share=share, beliefs=belief)
            for arm, share, belief in zip(policy.arms, shares, beliefs, strict=True)
        )
    contexts = [_contexts(policy, by_arm[arm.name]) for arm in policy.arms]
    noise = noise_of(contexts, rewards)
    return tuple(
        msgspec.structs.replace(arm, beliefs=linear_belief(rows, own, noise))
        for arm, rows, own in zip(policy.arms, contexts, rewards, strict=True)
    )


def _rewards(policy: Policy, rows: pl.DataFrame) -> Floats:
    label = rows[LABEL].cast(pl.Float64).to_numpy()
    if policy.reward == "label":
        return label
    made: Floats = 1.0 - np.abs(label - rows["prediction"].cast(pl.Float64).to_numpy())
    return made


def _contexts(policy: Policy, rows: pl.DataFrame) -> Floats:
    """The context of each row, a 1 in front; what was null counts as 0, as it does where arms are chosen."""
    kinds = pl.Struct(dict.fromkeys(policy.context, pl.Float64()))
    fields = rows["request"].str.json_decode(kinds).struct.unnest().fill_null(0.0)
    return (
        np.column_stack([np.ones(rows.height), fields.to_numpy()])
        if rows.height
        else np.empty((0, len(policy.context) + 1))
    )
