"""An XGBoost model's JSON as trees that any engine may serve, decided as XGBoost decides them: in 32 bits."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from drivetrain.core.trees import Branch, Link, Tree, Trees

_LINKS: Mapping[str, Link] = {
    "binary:logistic": "sigmoid",
    "reg:logistic": "sigmoid",
    "binary:logitraw": "identity",
    "reg:squarederror": "identity",
    "reg:absoluteerror": "identity",
    "reg:pseudohubererror": "identity",
    "reg:quantileerror": "identity",
    "rank:ndcg": "identity",
    "rank:pairwise": "identity",
    "multi:softprob": "softmax",
    "count:poisson": "exp",
    "reg:gamma": "exp",
    "reg:tweedie": "exp",
}
_AS_PROBABILITY = ("binary:logistic", "reg:logistic")
"""Objectives whose base score is kept as a probability."""


def trees_of(raw: bytes) -> Trees | None:
    """The trees of a model.

    Args:
        raw: What ``Booster.save_raw("json")`` gives.

    Returns:
        The ensemble; none where it is more than a sum of trees (dart's weights, linear boosters, vector leaves), or
        its objective has a link of its own.
    """
    learner = json.loads(raw)["learner"]
    objective = learner["objective"]["name"]
    booster, said = learner["gradient_booster"], learner["learner_model_param"]
    if booster["name"] != "gbtree" or objective not in _LINKS:
        return None
    trees = booster["model"]["trees"]
    if not trees or any(int(tree["tree_param"]["size_leaf_vector"]) > 1 for tree in trees):
        return None
    outputs = max(int(said["num_class"]), int(said.get("num_target", 1)), 1)
    return Trees(
        width=int(said["num_feature"]),
        trees=tuple(_tree(tree, output) for tree, output in zip(trees, booster["model"]["tree_info"], strict=True)),
        base=_base(said["base_score"], objective, outputs),
        link=_LINKS[objective],
        strict=True,
        bits=32,
    )


def _base(kept: str, objective: str, outputs: int) -> tuple[float, ...]:
    """The margin that every sum begins with; older versions keep one number, newer a list."""
    scores = json.loads(kept)
    scores = scores if isinstance(scores, list) else [scores]
    if objective in _AS_PROBABILITY:
        scores = [math.log(score / (1 - score)) for score in scores]
    elif _LINKS[objective] == "exp":
        scores = [math.log(score) for score in scores]
    return tuple(float(score) for score in (scores if len(scores) == outputs else scores * outputs))


def _tree(tree: Mapping[str, Any], output: int) -> Tree:
    """Nodes are renumbered: branches by themselves, leaves by themselves."""
    left, right, at = tree["left_children"], tree["right_children"], tree["split_conditions"]
    places: dict[int, int] = {}
    leaves: list[float] = []
    inner: list[int] = []
    for node, child in enumerate(left):
        if child < 0:
            places[node] = ~len(leaves)
            leaves.append(float(at[node]))
        else:
            places[node] = len(inner)
            inner.append(node)
    sets = _sets(tree)
    branches = []
    for node in inner:
        feature, nulls = int(tree["split_indices"][node]), bool(tree["default_left"][node])
        here, there = places[left[node]], places[right[node]]
        if node in sets:  # a category of the set goes right
            branches.append(Branch(feature, there, here, 0.0, sets[node], not nulls))
        else:
            branches.append(Branch(feature, here, there, float(at[node]), (), nulls))
    return Tree(tuple(branches), tuple(leaves), output)


def _sets(tree: Mapping[str, Any]) -> dict[int, tuple[float, ...]]:
    found = {}
    for node, start, size in zip(
        tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True
    ):
        found[int(node)] = tuple(float(code) for code in tree["categories"][start : start + size])
    return found
