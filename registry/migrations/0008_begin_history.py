"""What is there already becomes the first state of its history, so that the first change can be undone, too."""

from django.db import migrations

from registry.change_history import begin


def begin_histories(apps, schema_editor):
    begin(apps, "registry", "GenerationDefaults", "LoraAdapter", "Preset", "RegisteredModel")


class Migration(migrations.Migration):
    dependencies = [("registry", "0007_history")]

    operations = [migrations.RunPython(begin_histories, migrations.RunPython.noop)]
