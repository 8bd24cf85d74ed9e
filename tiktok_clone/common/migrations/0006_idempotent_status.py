from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0005_cache_generation"),
    ]

    operations = [
        # Every release wrote a status with its row.
        migrations.AlterField(
            model_name="idempotencyrecord",
            name="status",
            field=models.PositiveSmallIntegerField(),
        ),
    ]
