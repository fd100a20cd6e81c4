"""Each checksum against examples that its standard or its issuer published, and against every single wrong digit."""

from __future__ import annotations

import pytest

from drivetrain.data.privacy import checksums

# ISO 13616 / SWIFT IBAN Registry: the registry's own example of each country.
IBANS_TEXT = """
AD1200012030200359100100 AE070331234567890123456 AL47212110090000000235698741 AT611904300234573201
AZ21NABZ00000000137010001944 BA391290079401028494 BE68539007547034 BG80BNBG96611020345678
BH67BMAG00001299123456 BR1800360305000010009795493C1 CH9300762011623852957 CR05015202001026284066
CY17002001280000001200527600 CZ6508000000192000145399 DE89370400440532013000 DK5000400440116243
DO28BAGR00000001212453611324 EE382200221020145685 ES9121000418450200051332 FI2112345600000785
FO6264600001631634 FR1420041010050500013M02606 GB29NWBK60161331926819 GE29NB0000000101904917
GI75NWBK000000007099453 GL8964710001000206 GR1601101250000000012300695 GT82TRAJ01020000001210029690
HR1210010051863000160 HU42117730161111101800000000 IE29AIBK93115212345678 IL620108000000099999999
IS140159260076545510730339 IT60X0542811101000000123456 KW81CBKU0000000000001234560101 KZ86125KZT5004100100
LB62099900000001001901229114 LI21088100002324013AA LT121000011101001000 LU280019400644750000
LV80BANK0000435195001 MC5811222000010123456789030 MD24AG000225100013104168 ME25505000012345678951
MK07250120000058984 MR1300020001010000123456753 MT84MALT011000012345MTLCAST001S MU17BOMM0101101030300200000MUR
NL91ABNA0417164300 NO9386011117947 PK36SCBL0000001123456702 PL61109010140000071219812874
PS92PALS000000000400123456702 PT50000201231234567890154 QA58DOHB00001234567890ABCDEFG RO49AAAA1B31007593840000
RS35260005601001611379 SA0380000000608010167519 SE4550000000058398257466 SI56263300012039086
SK3112000000198742637541 SM86U0322509800000000270100 TN5910006035183598478831 TR330006100519786457841326
UA213223130000026007233566001 VG96VPVG0000012345678901 XK051212012345678906
"""
IBANS = IBANS_TEXT.split()
# Test numbers that the networks publish.
CARDS_TEXT = """
4111111111111111 4012888888881881 4222222222222 5555555555554444 5105105105105100 378282246310005
371449635398431 30569309025904 38520000023237 6011111111111117 3530111333300000
"""
CARDS = CARDS_TEXT.split()
NATIONAL = [
    ("US social security number", "219099999"),
    ("UK national insurance number", "QQ123456C".replace("QQ", "AB")),
    ("German tax id", "86095742719"),
    ("German tax id", "65929970489"),
    ("French social security number", "255081416802538"),
    ("French social security number", "180126955222380"),
    ("Spanish DNI or NIE", "12345678Z"),
    ("Spanish DNI or NIE", "X1234567L"),
    ("Spanish DNI or NIE", "Z1234567R"),
    ("Italian tax code", "RSSMRA85T10A562S"),
    ("Italian tax code", "MRTMTT91D08F205J"),
    ("Dutch citizen service number", "111222333"),
]


@pytest.mark.parametrize("text", IBANS)
def test_ibans_of_the_registry(text):
    assert checksums.iban(text)
    for place in (at for at in range(2, len(text)) if text[at].isdigit()):
        for digit in "0123456789":
            wrong = text[:place] + digit + text[place + 1 :]
            assert wrong == text or not checksums.iban(wrong)
    assert not checksums.iban(text[:-1])
    assert not checksums.iban("ZZ" + text[2:])


@pytest.mark.parametrize("digits", CARDS)
def test_cards_of_the_networks(digits):
    assert checksums.card(digits)
    for place in range(1, len(digits)):
        for digit in "0123456789":
            wrong = digits[:place] + digit + digits[place + 1 :]
            assert wrong == digits or not checksums.card(wrong)


def test_luhn_against_the_standards_own_example():
    assert checksums.luhn("79927398713")  # the example of ISO/IEC 7812-1 that every text has
    assert [d for d in "0123456789" if checksums.luhn("7992739871" + d)] == ["3"]
    assert not checksums.card("0000000000000000")


@pytest.mark.parametrize(("name", "text"), NATIONAL)
def test_national_numbers(name, text):
    assert checksums.NATIONAL[name](text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("US social security number", "000121234"),
        ("US social security number", "666121234"),
        ("US social security number", "912121234"),
        ("US social security number", "123001234"),
        ("US social security number", "123120000"),
        ("UK national insurance number", "QQ123456C"),
        ("UK national insurance number", "GB123456C"),
        ("UK national insurance number", "AB123456E"),
        ("German tax id", "86095742718"),
        ("German tax id", "12345678901"),
        ("French social security number", "255081416802539"),
        ("French social security number", "355081416802538"),
        ("French social security number", "255141416802538"),
        ("Spanish DNI or NIE", "12345678A"),
        ("Italian tax code", "RSSMRA85T10A562T"),
        ("Dutch citizen service number", "111222334"),
        ("Dutch citizen service number", "000000000"),
    ],
)
def test_numbers_that_are_none(name, text):
    assert not checksums.NATIONAL[name](text)


def test_corsicans_have_letters():
    body = "2550 82A 168 025".replace(" ", "")
    key = 97 - int(body.replace("2A", "19")) % 97
    assert checksums.insee(f"{body}{key:02d}")
    assert not checksums.insee(f"{body}{(key % 97) + 1:02d}")
