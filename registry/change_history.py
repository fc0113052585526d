"""What was changed, when and by whom: a row for each change of what somebody set."""

from typing import Any

from django.apps.registry import Apps
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords


class ChangeHistory(HistoricalRecords):
    """Keeps no row where a save changes nothing but excluded fields, or nothing at all."""

    def post_save(self, instance: models.Model, created: bool, using: str | None = None, **kwargs: Any) -> None:
        """Keep the new values, unless they are those of the last row."""
        if created or self._is_changed(instance, using):
            super().post_save(instance, created, using=using, **kwargs)

    def _is_changed(self, instance: models.Model, using: str | None) -> bool:
        names = [field.attname for field in self.fields_included(instance)]
        rows = (
            getattr(type(instance), self.manager_name).using(using).filter(**{instance._meta.pk.attname: instance.pk})
        )
        return rows.values(*names).first() != {name: getattr(instance, name) for name in names}


def begin(apps: Apps, label: str, *names: str) -> None:
    """Write the present state of all rows as the first of their history; for migrations, which know no relations."""
    for name in names:
        model, history = apps.get_model(label, name), apps.get_model(label, f"Historical{name}")
        known = {field.attname for field in history._meta.concrete_fields}
        fields = [field.attname for field in model._meta.concrete_fields if field.attname in known]
        rows = (
            history(**values, history_date=timezone.now(), history_type="+")
            for values in model.objects.values(*fields).iterator()
        )
        history.objects.bulk_create(rows, batch_size=500)
