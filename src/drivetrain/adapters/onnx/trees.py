"""Boosted trees as an ONNX graph, in the floats of the library that fitted them.

A graph of the usual converters holds thresholds of 32 bits: a value between a threshold of 64 and its nearest one of 32
falls to the other side (of LightGBM's rows 1 in 100,000, by 1.6e-3). ``TreeEnsemble`` of ai.onnx.ml 5 takes either,
and sets of categories: the graph decides every row as the trees do, and only the order of adding differs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from drivetrain.core.trees import OUTPUTS, Branch, Trees

_AT_MOST, _BELOW, _MEMBER = 0, 1, 6
_SUM = 1


def trees_graph(trees: Trees) -> bytes:
    """The graph: input ``rows`` of shape (n, width), output ``prediction`` of shape (n, outputs).

    Args:
        trees: The ensemble, one tree at least.
    """
    from onnx import helper, numpy_helper  # noqa: PLC0415 - deferred: a native library

    floats = np.float64 if trees.bits == 64 else np.float32
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(floats))

    def tensor(values: Any, dtype: Any = floats) -> Any:  # noqa: ANN401 - onnx has no types
        return numpy_helper.from_array(np.array(values, dtype=dtype))

    nodes = _Nodes(trees)
    outputs = len(trees.base)
    members = {"membership_values": tensor(nodes.members)} if nodes.members else {}
    ensemble = helper.make_node(
        "TreeEnsemble", ["rows"], ["sum"], domain="ai.onnx.ml", aggregate_function=_SUM, post_transform=0,
        n_targets=outputs, tree_roots=nodes.roots, nodes_featureids=nodes.features,
        nodes_modes=tensor(nodes.modes, np.uint8), nodes_splits=tensor(nodes.splits),
        nodes_truenodeids=nodes.true, nodes_trueleafs=nodes.true_leaf,
        nodes_falsenodeids=nodes.false, nodes_falseleafs=nodes.false_leaf,
        nodes_missing_value_tracks_true=nodes.nulls,
        leaf_targetids=nodes.targets, leaf_weights=tensor(nodes.weights), **members,
    )  # fmt: skip
    steps, last = [ensemble], "sum"
    constants = [("base", nodes.base, "Add", 0.0), ("scale", trees.scale, "Mul", 1.0)]
    initial = []
    for name, value, operator, neutral in constants:
        if np.any(np.asarray(value) != neutral):
            initial.append(numpy_helper.from_array(np.array(value, dtype=floats).reshape(-1), name))
            steps.append(helper.make_node(operator, [last, name], [f"with_{name}"]))
            last = f"with_{name}"
    link = {"identity": "Identity", "sigmoid": "Sigmoid", "softmax": "Softmax", "exp": "Exp"}[trees.link]
    steps.append(helper.make_node(link, [last], ["prediction"]))
    graph = helper.make_graph(
        steps,
        "trees",
        [helper.make_tensor_value_info("rows", kind, [None, trees.width])],
        [helper.make_tensor_value_info("prediction", kind, [None, outputs])],
        initializer=initial,
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 5)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    model.metadata_props.add(key=OUTPUTS, value=str(outputs))
    graph_bytes: bytes = model.SerializeToString()
    return graph_bytes


class _Nodes:
    """The branches of all trees in one list, as the operator reads them."""

    def __init__(self, trees: Trees) -> None:
        self.base = list(trees.base)
        self.roots: list[int] = []
        self.features: list[int] = []
        self.modes: list[int] = []
        self.splits: list[float] = []
        self.members: list[float] = []
        self.nulls: list[int] = []
        self.true: list[int] = []
        self.true_leaf: list[int] = []
        self.false: list[int] = []
        self.false_leaf: list[int] = []
        self.weights: list[float] = []
        self.targets: list[int] = []
        for tree in trees.trees:
            if not tree.branches:
                self.base[tree.output] += tree.leaves[0]
                continue
            first, leaves = len(self.features), len(self.weights)
            self.roots.append(first)
            self.weights += tree.leaves
            self.targets += [tree.output] * len(tree.leaves)
            for branch in tree.branches:
                self._add(branch, _BELOW if trees.strict else _AT_MOST, first, leaves)
        if not self.roots:  # the operator asks for a tree
            self._add(Branch(0, ~0, ~0), _AT_MOST, 0, 0)
            self.roots, self.weights, self.targets = [0], [0.0], [0]

    def _add(self, branch: Branch, mode: int, first: int, leaves: int) -> None:
        self.features.append(branch.feature)
        self.modes.append(_MEMBER if branch.members else mode)
        self.splits.append(np.nan if branch.members else branch.threshold)
        if branch.members:
            self.members += [*branch.members, np.nan]  # the end of the set
        self.nulls.append(int(branch.null_left))
        for child, places, leaf in (
            (branch.left, self.true, self.true_leaf),
            (branch.right, self.false, self.false_leaf),
        ):
            places.append(first + child if child >= 0 else leaves + ~child)
            leaf.append(int(child < 0))
