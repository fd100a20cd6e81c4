"""LightGBM's text as trees that any engine may serve, decided as ``Booster.predict`` decides them."""

from __future__ import annotations

from collections.abc import Mapping

from drivetrain.core.trees import Branch, Link, Tree, Trees

_CATEGORY, _NULL_LEFT = 1, 2
_ZERO_IS_NULL, _NULL_IS_NAN = 1, 2

_IDENTITY = ("regression_l1", "huber", "fair", "quantile", "mape", "lambdarank", "rank_xendcg")
_EXP = ("poisson", "gamma", "tweedie")


def trees_of(text: str) -> Trees | None:
    """The trees of a model.

    Args:
        text: What ``Booster.model_to_string`` gives.

    Returns:
        The ensemble; none where it holds what plain trees do not: linear leaves, zeros taken for nulls, an objective
        with a link of its own.
    """
    head, *bodies = text.split("\nTree=")
    said = _pairs(head)
    link, scale = _link(said.get("objective", ""))
    if link is None or not bodies:
        return None
    outputs = int(said["num_tree_per_iteration"])
    averaged = len(bodies) // outputs if "average_output" in head.splitlines() else 1
    trees = []
    for at, body in enumerate(bodies):
        tree = _tree(_pairs(body.partition("\n\n")[0]), at % outputs)
        if tree is None:
            return None
        trees.append(tree)
    return Trees(
        width=int(said["max_feature_idx"]) + 1,
        trees=tuple(trees),
        base=(0.0,) * outputs,
        link=link,
        scale=scale / averaged,
    )


def _link(objective: str) -> tuple[Link | None, float]:
    name, *words = objective.split()
    options = dict(word.split(":", 1) for word in words if ":" in word)
    if name in {"binary", "multiclassova"}:
        return "sigmoid", float(options.get("sigmoid", 1.0))
    if name == "multiclass":
        return "softmax", 1.0
    if name == "cross_entropy":
        return "sigmoid", 1.0
    if name in _EXP:
        return "exp", 1.0
    plain = name in _IDENTITY or (name == "regression" and "sqrt" not in words)
    return ("identity" if plain else None), 1.0


def _tree(said: Mapping[str, str], output: int) -> Tree | None:
    leaves = tuple(_numbers(said["leaf_value"]))
    if said.get("is_linear", "0") != "0":
        return None
    if int(said["num_leaves"]) == 1:
        return Tree((), leaves, output)
    columns = [
        said[name].split() for name in ("split_feature", "threshold", "decision_type", "left_child", "right_child")
    ]
    ends = [int(end) for end in said.get("cat_boundaries", "").split()]
    words = [int(word) for word in said.get("cat_threshold", "").split()]
    branches = []
    for feature, threshold, decision, left, right in zip(*columns, strict=True):
        kind, at = int(decision), float(threshold)
        nulls = kind >> 2
        members: tuple[float, ...] = ()
        if kind & _CATEGORY:
            members = _members(words[ends[int(at)] : ends[int(at) + 1]])
            null_left = False
        elif nulls == _ZERO_IS_NULL:
            return None
        else:  # where there were no nulls to learn from, one counts as 0
            null_left = bool(kind & _NULL_LEFT) if nulls == _NULL_IS_NAN else at >= 0
        branches.append(Branch(int(feature), int(left), int(right), at, members, null_left))
    return Tree(tuple(branches), leaves, output)


def _members(words: list[int]) -> tuple[float, ...]:
    return tuple(float(32 * at + bit) for at, word in enumerate(words) for bit in range(32) if word >> bit & 1)


def _numbers(text: str) -> list[float]:
    return [float(word) for word in text.split()]


def _pairs(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
