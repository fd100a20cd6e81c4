"""What fairness of answers is measured by: rates of a group, and how far groups lie apart in them.

Names and definitions are those of fairlearn (Weerts et al., 2023), where it has them: a difference is the highest
group's rate less the lowest's, a ratio the lowest's over the highest's, and equalized odds take the worse of two rates.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from drivetrain.core.errors import UnknownName

SELECTION, TRUE_POSITIVE, FALSE_POSITIVE = "selection_rate", "true_positive_rate", "false_positive_rate"
PRECISION, MEAN_PREDICTION, BASE_RATE, GAP = "precision", "mean_prediction", "base_rate", "calibration_gap"


class Rate(msgspec.Struct, frozen=True):
    """A figure of one group.

    ``top`` and ``under`` name what is summed over its rows, and divided.
    """

    name: str
    title: str
    top: tuple[str, ...]
    under: tuple[str, ...]
    scale: Literal["share", "line"]
    meaning: str


RATES: dict[str, Rate] = {
    rate.name: rate
    for rate in (
        Rate(SELECTION, "acted on", ("acted",), ("rows",), "share", "share of its rows that are acted on"),
        Rate(TRUE_POSITIVE, "caught", ("right",), ("yes",), "share", "share of its positives that are acted on"),
        Rate(
            FALSE_POSITIVE, "wrongly acted on", ("acted", "-right"), ("rows", "-yes"), "share",
            "share of its negatives that are acted on",
        ),
        Rate(PRECISION, "right when acted on", ("right",), ("acted",), "share", "share positive of those acted on"),
        Rate(MEAN_PREDICTION, "mean prediction", ("said",), ("rows",), "share", "mean of its predictions"),
        Rate(BASE_RATE, "positive", ("yes",), ("rows",), "share", "share of its rows that are positive"),
        Rate(GAP, "predicted too high by", ("said", "-yes"), ("rows",), "line", "mean prediction less share positive"),
    )
}  # fmt: skip
"""Every rate by name."""


class Definition(msgspec.Struct, frozen=True):
    """A way to say how far groups lie apart."""

    name: str
    title: str
    rates: tuple[str, ...]
    kind: Literal["difference", "ratio"]


def _both(name: str, title: str, *rates: str) -> tuple[Definition, Definition]:
    return (
        Definition(f"{name}_difference", f"{title} difference", rates, "difference"),
        Definition(f"{name}_ratio", f"{title} ratio", rates, "ratio"),
    )


DISPARITIES: dict[str, Definition] = {
    each.name: each
    for each in (
        *_both("demographic_parity", "demographic parity", SELECTION),
        *_both("equalized_odds", "equalized odds", TRUE_POSITIVE, FALSE_POSITIVE),
        *_both("equal_opportunity", "equal opportunity", TRUE_POSITIVE),
        *_both("false_positive_rate", "false positive rate", FALSE_POSITIVE),
        *_both("predictive_parity", "predictive parity", PRECISION),
    )
}
"""Every disparity by name."""


def disparity_of(name: str) -> Definition:
    """The disparity that goes by a name.

    Raises:
        UnknownName: None does.
    """
    try:
        return DISPARITIES[name]
    except KeyError:
        raise UnknownName(f"no measure of fairness is called {name!r}", expected=", ".join(DISPARITIES)) from None
