"""What requests say in a field that a feature is named after."""

from __future__ import annotations

import polars as pl

from drivetrain.serve.log.requested import field_of


def requested(requests: pl.Series, feature: str) -> pl.Series:
    """The field of each request that goes by the last part of a feature's name, as text; null where there is none.

    Args:
        requests: The instances as they came, JSON text.
        feature: Full name: ``sms.message`` is ``message``.

    Example:
        >>> requested(pl.Series(['{"message": "free"}', "{}"]), "sms.message").to_list()
        ['free', None]
    """
    return requests.alias("request").to_frame().select(field_of(feature.rpartition(".")[2])).to_series()
