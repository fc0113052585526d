"""Sums by the hour and by the day, of models and of keys, written beside the hours."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from usage.models import UsageHour, UsageStep
from usage.rows import add_totals, write_over

StepKey = tuple[str, datetime, str, str]


def steps_of(hours: Iterable[UsageHour]) -> list[UsageStep]:
    """Return the sums of some hours, unsaved: all those that they are part of."""
    steps: dict[StepKey, UsageStep] = {}
    for hour in hours:
        for key in _keys_of(hour):
            length, start, model, prefix = key
            step = steps.setdefault(key, UsageStep(length=length, start=start, model=model, key_prefix=prefix))
            add_totals(step, hour)
    return list(steps.values())


def add_to_steps(sums: list[UsageStep]) -> None:
    """Add sums to those in the database; inside a transaction."""
    names = ("length", "start", "model", "key_prefix")
    empty = [UsageStep(**{name: getattr(each, name) for name in names}) for each in sums]
    UsageStep.objects.bulk_create(empty, ignore_conflicts=True)
    among = {f"{name}__in": {getattr(each, name) for each in sums} for name in names}
    # Locked in one order, so that two writers never wait for each other.
    found = {_key(row): row for row in UsageStep.objects.select_for_update().filter(**among).order_by("pk")}
    for each in sums:
        add_totals(found[_key(each)], each)
    write_over([found[_key(each)] for each in sums])


def _keys_of(hour: UsageHour) -> Iterator[StepKey]:
    day = hour.hour.replace(hour=0)
    for length, start in ((UsageStep.HOUR, hour.hour), (UsageStep.DAY, day)):
        for model in (hour.model, UsageStep.ALL_MODELS):
            yield length, start, model, UsageStep.ALL_KEYS
    yield UsageStep.DAY, day, UsageStep.ALL_MODELS, hour.key_prefix


def _key(row: UsageStep) -> StepKey:
    return row.length, row.start, row.model, row.key_prefix
