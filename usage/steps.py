"""Sums by the hour and by the day without regard to keys, written beside the hours."""

from collections.abc import Iterable
from datetime import datetime

from usage.models import UsageHour, UsageStep
from usage.rows import SUMMED, add_totals

StepKey = tuple[str, datetime, str]


def steps_of(hours: Iterable[UsageHour]) -> list[UsageStep]:
    """Return the sums of some hours, unsaved: of each hour and day they are in, by model and of all models."""
    steps: dict[StepKey, UsageStep] = {}
    for hour in hours:
        day = hour.hour.replace(hour=0)
        for length, start in ((UsageStep.HOUR, hour.hour), (UsageStep.DAY, day)):
            for model in (hour.model, UsageStep.ALL_MODELS):
                key = length, start, model
                step = steps.setdefault(key, UsageStep(length=length, start=start, model=model))
                add_totals(step, hour)
    return list(steps.values())


def add_to_steps(sums: list[UsageStep]) -> None:
    """Add sums to those in the database; inside a transaction."""
    empty = [UsageStep(length=each.length, start=each.start, model=each.model) for each in sums]
    UsageStep.objects.bulk_create(empty, ignore_conflicts=True)
    starts, models = {each.start for each in sums}, {each.model for each in sums}
    # Locked in one order, so that two writers never wait for each other.
    stored = UsageStep.objects.select_for_update().filter(start__in=starts, model__in=models).order_by("pk")
    found = {_key(row): row for row in stored}
    for each in sums:
        add_totals(found[_key(each)], each)
    UsageStep.objects.bulk_update([found[_key(each)] for each in sums], [*SUMMED, "first_token_counts"])


def _key(row: UsageStep) -> StepKey:
    return row.length, row.start, row.model
