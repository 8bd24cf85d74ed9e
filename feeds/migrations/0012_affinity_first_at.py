from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("feeds", "0011_refusals"), ("videos", "0010_shown_count")]

    operations = [
        migrations.AddField(
            model_name="affinity",
            name="first_at",
            field=models.DateTimeField(
                help_text="The first act; none for rows of before it was kept.", null=True
            ),
        ),
    ]
