from django.db import migrations

import tiktok_clone.common.models
from tiktok_clone.common.folding import fold
from videos.text import hashtags


def fold_texts(apps, schema_editor):
    """Fill in the words and the hashtags of the comments that are there."""
    comments = apps.get_model("videos", "Comment").objects.all()
    for comment in comments.iterator(chunk_size=1000):
        words = " ".join([fold(comment.text), *(f"#{tag}" for tag in hashtags(comment.text))])
        comments.filter(pk=comment.pk).update(search_text=words)


class Migration(migrations.Migration):
    dependencies = [
        ("videos", "0006_media_in_step"),
    ]

    operations = [
        migrations.AddField(
            model_name="comment",
            name="search_text",
            field=tiktok_clone.common.models.FoldedTextField(
                blank=True, db_default="", default="", editable=False
            ),
        ),
        migrations.RunPython(fold_texts, migrations.RunPython.noop, elidable=True),
    ]
