"""Checksums of numbers that name a person or an account: each from its standard."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18,
    "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24,
    "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24,
    "XK": 20,
}  # fmt: skip
"""Country → characters of its IBANs (SWIFT, IBAN Registry)."""

_NETWORKS: tuple[tuple[int, int, Collection[int]], ...] = (
    (2221, 2720, (16,)),  # Mastercard
    (3000, 3399, range(14, 20)),  # Diners Club
    (3400, 3499, (15,)),  # American Express
    (3500, 3599, range(16, 20)),  # JCB
    (3600, 3699, range(14, 20)),
    (3700, 3799, (15,)),
    (3800, 3999, range(14, 20)),
    (4000, 4999, (13, 16, 19)),  # Visa
    (5100, 5599, (16,)),
    (5000, 5899, range(13, 20)),  # Maestro
    (6000, 6999, range(13, 20)),  # Discover, UnionPay, Maestro, RuPay
)
"""First four digits, from and to, of what a network's cards begin with, and how many digits they have."""

_NINO = re.compile(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]")
_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
_FISCAL = re.compile(r"[A-Z]{6}\d{2}[ABCDEHLMPRST]\d{2}[A-Z]\d{3}[A-Z]")
_ODD = {
    **dict(zip("0123456789", (1, 0, 5, 7, 9, 13, 15, 17, 19, 21), strict=True)),
    **dict(
        zip(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
            strict=True,
        )
    ),
}


def luhn(digits: str) -> bool:
    """Whether digits end in their check digit (ISO/IEC 7812-1, annex B).

    Example:
        >>> luhn("4111111111111111")
        True
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def card(digits: str) -> bool:
    """Whether digits can be a payment card's: what a network's begin with, its lengths, and Luhn.

    Example:
        >>> card("4111111111111111"), card("20021118120000")
        (True, False)
    """
    begins = int(digits[:4])
    known = any(low <= begins <= high and len(digits) in lengths for low, high, lengths in _NETWORKS)
    return known and len(set(digits)) > 1 and luhn(digits)


def iban(text: str) -> bool:
    """Whether it is an IBAN: its country's length, and 1 modulo 97 (ISO 13616, ISO/IEC 7064).

    Example:
        >>> iban("GB82WEST12345698765432")
        True
    """
    if IBAN_LENGTHS.get(text[:2]) != len(text) or not text.isalnum():
        return False
    return int("".join(str(int(letter, 36)) for letter in text[4:] + text[:4])) % 97 == 1


def ssn(digits: str) -> bool:
    """Whether it can be a US social security number: no area, group or serial that was never given out."""
    return digits[:3] not in {"000", "666"} and digits[0] != "9" and digits[3:5] != "00" and digits[5:] != "0000"


def nino(text: str) -> bool:
    """Whether it can be a UK national insurance number (HMRC, NIM39110): it has no checksum."""
    return _NINO.fullmatch(text) is not None


def steuer_id(digits: str) -> bool:
    """Whether it is a German tax id: eleven digits, one of the first ten two or three times, ISO/IEC 7064 MOD 11,10.

    Example:
        >>> steuer_id("86095742719")
        True
    """
    if len(digits) != 11 or digits[0] == "0":
        return False
    repeated = sorted(count for count in (digits[:10].count(digit) for digit in set(digits[:10])) if count > 1)
    if repeated not in ([2], [3]):
        return False
    product = 10
    for digit in digits[:10]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def insee(text: str) -> bool:
    """Whether it is a French social security number: a sex, a month, and a key of 97 (Corsica's letters counted).

    Example:
        >>> insee("255081416802538")
        True
    """
    if len(text) != 15 or text[0] not in "12":
        return False
    body = text[:13].replace("2A", "19", 1) if text[5:7] == "2A" else text[:13]
    body = body.replace("2B", "18", 1) if text[5:7] == "2B" else body
    if not body.isdigit() or not text[13:].isdigit():
        return False
    month = int(text[3:5])
    return (1 <= month <= 12 or 20 <= month <= 42 or month >= 50) and 97 - int(body) % 97 == int(text[13:])


def dni(text: str) -> bool:
    """Whether it is a Spanish DNI or NIE: its letter is that of the number modulo 23.

    Example:
        >>> dni("12345678Z"), dni("X1234567L")
        (True, True)
    """
    number = text[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return len(number) == 8 and number.isdigit() and _DNI[int(number) % 23] == text[-1]


def codice_fiscale(text: str) -> bool:
    """Whether it is an Italian tax code with its check letter (D.M. 23 December 1976).

    Example:
        >>> codice_fiscale("RSSMRA85T10A562S")
        True
    """
    if not _FISCAL.fullmatch(text):
        return False
    total = sum(
        _ODD[letter] if place % 2 == 0 else (int(letter) if letter.isdigit() else ord(letter) - ord("A"))
        for place, letter in enumerate(text[:15])
    )
    return chr(ord("A") + total % 26) == text[15]


def bsn(digits: str) -> bool:
    """Whether it is a Dutch citizen service number: the eleven test.

    Example:
        >>> bsn("111222333")
        True
    """
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))
    return len(digits) == 9 and total > 0 and total % 11 == 0


NATIONAL: dict[str, Callable[[str], bool]] = {
    "US social security number": ssn,
    "UK national insurance number": nino,
    "German tax id": steuer_id,
    "French social security number": insee,
    "Spanish DNI or NIE": dni,
    "Italian tax code": codice_fiscale,
    "Dutch citizen service number": bsn,
}
"""What a national number is called → whether text without separators is one."""
