"""Special functions by SciPy: 9 MB and a tenth of a second that whoever asks for no figure need not spend."""

from scipy import special

__all__ = ["special"]
