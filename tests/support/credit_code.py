"""Unified social credit codes (GB 32100-2015) with the right check characters."""

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def _organization_check(eight):
    """GB 11714: the ninth character of an organization's code."""
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    values = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    check = 11 - sum(values.index(c) * w for c, w in zip(eight, weights)) % 11
    return {10: "X", 11: "0"}.get(check, str(check))


def check_character(seventeen):
    total = sum(ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(seventeen))
    return ALPHABET[(31 - total % 31) % 31]


def credit_code(number, region="420106"):
    """The number-th code: 0 <= number < 10^8."""
    eight = f"{number:08d}"
    body = "91" + region + eight + _organization_check(eight)
    return body + check_character(body)
