from django.db import migrations


class Migration(migrations.Migration):
    """Failed jobs are counted for the dashboard; finished ones stay for three days beside them."""

    dependencies = [
        ("common", "0003_site_texts_idempotency"),
        ("procrastinate", "0041_post_retry_failed_job"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX IF NOT EXISTS jobs_failed ON procrastinate_jobs (id)"
            " WHERE status = 'failed'",
            "DROP INDEX IF EXISTS jobs_failed",
        )
    ]
