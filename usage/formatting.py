"""Times as people read them."""

from django.utils.formats import number_format
from django.utils.translation import gettext as _


def human_ms(milliseconds: float | None) -> str:
    """Return 87.5 as "88 ms", 1500 as "1.5 s", 83000 as "83 s"; "" for None."""
    if milliseconds is None:
        return ""
    if milliseconds < 1000:
        return _("%(number)s ms") % {"number": number_format(round(milliseconds))}
    seconds, decimals = milliseconds / 1000, 1 if milliseconds < 10_000 else 0
    return _("%(number)s s") % {"number": number_format(round(seconds, decimals), decimal_pos=decimals)}
