from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # The table may be long, and likes go on meanwhile.
    atomic = False

    dependencies = [("feeds", "0013_notices_go_later")]

    operations = [
        AddIndexConcurrently(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("read_at", None), ("retracted_at", None)),
                fields=["recipient", "kind"],
                name="notification_unread_kind",
            ),
        ),
        AddIndexConcurrently(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("comment", None), ("kind", "mention")),
                fields=["video"],
                name="notification_by_caption",
            ),
        ),
        RemoveIndexConcurrently(model_name="notification", name="notification_unread"),
    ]
