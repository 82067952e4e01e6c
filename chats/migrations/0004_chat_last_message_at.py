import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.models import F


def take_the_last_change(apps, schema_editor):
    """Of chats that are there nothing better is known than when they were changed last, by which they were listed."""
    apps.get_model("chats", "Chat").objects.using(schema_editor.connection.alias).update(
        last_message_at=F("updated_at")
    )


class Migration(migrations.Migration):
    dependencies = [
        ("chats", "0003_files"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="chat",
            name="chat_pinned_by_owner",
        ),
        migrations.AddField(
            model_name="chat",
            name="last_message_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False
            ),
        ),
        migrations.RunPython(take_the_last_change, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="chat",
            index=models.Index(fields=["owner", "-last_message_at", "-id"], name="chat_by_owner_last_message"),
        ),
        migrations.AddIndex(
            model_name="chat",
            index=models.Index(
                condition=models.Q(("pinned", True)),
                fields=["owner", "-last_message_at", "-id"],
                name="chat_pinned_by_owner",
            ),
        ),
    ]
