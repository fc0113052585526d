"""Usage by key, model and day, as a page and as a file."""

from itertools import islice
from typing import Any

from django.contrib.admin import site
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from console.chunks import in_chunks
from console.live import percent
from console.permissions import VIEW_USAGE, guarded
from console.usage_charts import whole
from console.usage_form import UsageForm, date_stamp
from usage.formatting import human_ms
from usage.report import GROUPS, Line
from usage.report_csv import csv_rows
from usage.sums import Sums

MOST_LINES = 500  # on the page; the file has all of them


@guarded(VIEW_USAGE)
def usage(request: HttpRequest) -> HttpResponse:
    """Show the sums of some days."""
    form = UsageForm(request.GET)
    context = {**site.each_context(request), "title": _("Usage"), "form": form, "max_lines": MOST_LINES}
    if form.is_valid():
        context |= _table(form)
    return render(request, "console/usage.html", context, status=200 if form.is_valid() else 400)


@guarded(VIEW_USAGE)
def usage_csv(request: HttpRequest) -> HttpResponse:
    """Send the same as comma-separated values."""
    form = UsageForm(request.GET)
    if not form.is_valid():
        return HttpResponse(form.errors.as_text(), status=400, content_type="text/plain; charset=utf-8")
    report = form.report()
    response = StreamingHttpResponse(in_chunks(csv_rows(report)), content_type="text/csv; charset=utf-8")
    name = f"usage_{date_stamp(report.first, report.last)}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _table(form: UsageForm) -> dict[str, Any]:
    report = form.report()
    lines = list(islice(report.lines(), MOST_LINES + 1))
    return {
        "headers": [GROUPS[name] for name in report.groups],
        "lines": [(_cells(line, report.groups), _sums(line.sums)) for line in lines[:MOST_LINES]],
        "is_cut": len(lines) > MOST_LINES,
        "total": _sums(report.total()),
    }


def _cells(line: Line, groups: tuple[str, ...]) -> list[Any]:
    cells = {"day": line.day, "model": line.model or _("unknown names"), "key": _key(line)}
    return [cells[name] for name in groups]


def _key(line: Line) -> str:
    if not line.key:
        return _("without a key")
    return f"{line.key_name} ({line.key}…)" if line.key_name else f"{line.key}…"


def _sums(sums: Sums) -> list[str]:
    return [
        *(whole(sums.requests), whole(sums.errors), whole(sums.prompt_tokens)),
        *(percent(sums.cached_tokens, sums.prompt_tokens), whole(sums.completion_tokens)),
        *(human_ms(sums.first_token_ms(share)) or "–" for share in (0.5, 0.95)),
    ]
