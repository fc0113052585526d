"""Numbers as people read them."""

from django.utils.formats import number_format


def human_count(count: int | None) -> str:
    """Return 4022468096 as "4.0B", 752832 as "753K"; "" for None."""
    if count is None:
        return ""
    for divisor, unit in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K")):
        if count >= divisor:
            decimals = 0 if count >= 100 * divisor else 1
            # number_format cuts digits off instead of rounding.
            return number_format(round(count / divisor, decimals), decimal_pos=decimals) + unit
    return str(count)


def human_bytes(count: float | None) -> str:
    """Return 4280404704 as "4.0 GiB"; "" for None."""
    if count is None:
        return ""
    for power, unit in ((40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")):
        if count >= 2**power:
            return f"{number_format(round(count / 2**power, 1), decimal_pos=1)} {unit}"
    return f"{count:.0f} B"
