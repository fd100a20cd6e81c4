"""A module with what comes before and after it: encoded rows in, probabilities or values out."""

from __future__ import annotations

from typing import Any

from drivetrain.core.preparation import Network, Preparation


def whole(network: Network, core: Any) -> Any:  # noqa: ANN401 - torch is an extra
    """The module that is served.

    Args:
        network: What stands before and after it.
        core: A module, (n, inputs) → margins (n, outputs).

    Returns:
        A module, float32 rows (n, fields) with NaN for null → (n, outputs).
    """
    import torch  # noqa: PLC0415 - deferred: an extra

    class Whole(torch.nn.Module):  # type: ignore[misc] # an extra has no types here
        def __init__(self) -> None:
            super().__init__()
            self.inputs = inputs(network.preparation)
            self.core = core

        def forward(self, rows: Any) -> Any:  # noqa: ANN401 - a tensor
            margins = self.core(self.inputs(rows))
            if network.link == "sigmoid":
                return torch.sigmoid(margins)
            if network.link == "softmax":
                return torch.softmax(margins, dim=1)
            return margins * network.spread + network.mean

    return Whole()


def inputs(preparation: Preparation) -> Any:  # noqa: ANN401 - torch is an extra
    """The preparation as a module, in operators that TorchScript and ONNX have."""
    import torch  # noqa: PLC0415 - deferred: an extra

    class Inputs(torch.nn.Module):  # type: ignore[misc] # an extra has no types here
        def __init__(self) -> None:
            super().__init__()
            for name in ("numbers", "gaps", "texts"):
                self.register_buffer(name, torch.tensor(getattr(preparation, name), dtype=torch.int64))
            for name in ("means", "scales"):
                self.register_buffer(name, torch.tensor(getattr(preparation, name), dtype=torch.float32))

        def forward(self, rows: Any) -> Any:  # noqa: ANN401 - a tensor
            limit = preparation.limit
            parts = []
            if preparation.numbers:
                scaled = (rows[:, self.numbers] - self.means) / self.scales
                parts.append(torch.clamp(torch.nan_to_num(scaled, nan=0.0), -limit, limit))
            if preparation.gaps:
                parts.append(torch.isnan(rows[:, self.gaps]).to(torch.float32))
            for at, count in preparation.categories:
                codes = torch.nan_to_num(rows[:, at : at + 1], nan=float(count))
                parts.append((codes == torch.arange(count + 1, dtype=torch.float32, device=rows.device)).float())
            if preparation.texts:
                parts.append(rows[:, self.texts])
            return torch.cat(parts, dim=1)

    return Inputs()
