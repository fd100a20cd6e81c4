"""Units of measure: what one is of the first of its kind."""

from __future__ import annotations

from drivetrain.core.errors import ProjectError

_KINDS: dict[str, dict[str, float]] = {
    "length": {"m": 1.0, "mm": 0.001, "cm": 0.01, "km": 1000.0, "in": 0.0254, "ft": 0.3048, "yd": 0.9144}
    | {"mi": 1609.344, "nmi": 1852.0},
    "mass": {"kg": 1.0, "g": 0.001, "t": 1000.0, "oz": 0.028349523125, "lb": 0.45359237},
    "speed": {"m/s": 1.0, "km/h": 1 / 3.6, "mph": 0.44704, "kn": 1852 / 3600},
    "pressure": {"Pa": 1.0, "hPa": 100.0, "kPa": 1000.0, "mbar": 100.0, "bar": 100_000.0, "atm": 101_325.0}
    | {"psi": 6894.757293168361, "inHg": 3386.389, "mmHg": 133.32236842105263},
    "time": {"s": 1.0, "ms": 0.001, "min": 60.0, "h": 3600.0, "d": 86_400.0},
    "volume": {"l": 1.0, "ml": 0.001, "m3": 1000.0, "gal": 3.785411784},
    "share": {"1": 1.0, "%": 0.01},
}
_ZERO = {"K": (1.0, 0.0), "C": (1.0, 273.15), "F": (5 / 9, 273.15 - 32 * 5 / 9)}
"""Temperatures: K = value * factor + offset."""


def conversion(old: str, new: str) -> tuple[float, float]:
    """``(factor, offset)``: a number of ``new`` is one of ``old`` times factor plus offset.

    Raises:
        ProjectError: A unit is unknown, or they measure different things.

    Example:
        >>> conversion("mi", "km")
        (1.609344, 0.0)
    """
    if old in _ZERO and new in _ZERO:
        (factor, offset), (other, shift) = _ZERO[old], _ZERO[new]
        return factor / other, (offset - shift) / other
    for units in _KINDS.values():
        if old in units and new in units:
            return units[old] / units[new], 0.0
    known = "; ".join(", ".join(units) for units in (*map(list, _KINDS.values()), list(_ZERO)))
    raise ProjectError(f"no way from the unit {old!r} to {new!r}", expected=f"two of one kind: {known}")
