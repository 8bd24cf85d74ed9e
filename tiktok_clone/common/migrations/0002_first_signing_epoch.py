"""Make the row now: made later, in a transaction that rolls back, it would take tokens with it."""

import uuid

from django.db import migrations


def make_epoch(apps, schema_editor):
    apps.get_model("common", "SigningEpoch").objects.get_or_create(
        id=1, defaults={"value": uuid.uuid4()}
    )


class Migration(migrations.Migration):
    dependencies = [("common", "0001_initial")]
    operations = [migrations.RunPython(make_epoch, migrations.RunPython.noop)]
