"""Models that belong to no app: bases, site texts, the books of the store, single rows."""

import secrets
import uuid
from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib.postgres.search import SearchVector
from django.db import models
from django.utils import timezone

from tiktok_clone.common.folding import fold


class Timestamped(models.Model):
    """When the row was made. Naming the moment once keeps `created_at` alike everywhere."""

    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True


class FoldedTextField(models.TextField):
    """Keeps other text fields of its row, folded; written with every save."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        """Fold what the fields in the model's SEARCHED hold now."""
        folded: str = model_instance.folded()  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, folded)
        return folded


# The words of a Searchable row, as its index has them. It names the configuration, or the
# expression would depend on the server's settings and could not be indexed. It is an index
# over an expression and not a column, which every SELECT of a row would carry along.
WORDS = SearchVector("search_text", config="simple")


class Searchable(models.Model):
    """Rows found by words: the fields in SEARCHED, folded. Index WORDS with a GinIndex.

    Change these fields by `save()`; an `update()` of the QuerySet would leave the words behind.
    """

    SEARCHED: ClassVar[tuple[str, ...]] = ()

    # The database has a default too: a release without this column may still insert rows.
    search_text = FoldedTextField(blank=True, default="", db_default="", editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        """Write the words with the fields that they come from."""
        if update_fields is not None and not set(self.SEARCHED).isdisjoint(update_fields):
            update_fields = {*update_fields, "search_text"}
        super().save(*args, update_fields=update_fields, **options)

    def folded(self) -> str:
        """What the row is found by."""
        return fold(" ".join(getattr(self, name) for name in self.SEARCHED))


class SiteText(Timestamped):
    """A page whose text the administrators write: the terms, the privacy policy."""

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=100)
    body = models.TextField(help_text="Markdown; HTML in it is shown as text.")
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.title


class IdempotencyRecord(Timestamped):
    """What was answered to a request that its sender may repeat with the same key."""

    actor = models.BigIntegerField(help_text="Id of the account.")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of what was asked.")
    status = models.PositiveSmallIntegerField()
    body = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["actor", "key"], name="idempotency_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_by_age")]

    def __str__(self) -> str:
        return f"{self.key} of {self.actor}"


class SigningEpoch(models.Model):
    """The single row whose value is part of every token that names rows by id.

    Emptying the database restarts the ids; a new epoch makes sure that a token
    signed before can never meet a new row with an old id.
    """

    value = models.UUIDField(default=uuid.uuid4, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="signing_epoch_single_row")
        ]

    def __str__(self) -> str:
        return self.value.hex


def new_generation() -> str:
    """Return a name that no generation had before."""
    return secrets.token_hex(6)


class CacheGeneration(models.Model):
    """The single row whose name is part of every key of what is cached in Redis.

    A message to Redis that could not be delivered is made good by a new name: what is under
    the old one is never read again. It is random, so that a database which was emptied or
    restored never meets what was cached for another one.
    """

    name = models.CharField(max_length=12, default=new_generation)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="cache_generation_single_row")
        ]

    def __str__(self) -> str:
        return self.name


class AdminHour(models.Model):
    """How often Cloudinary's Admin API was asked in an hour."""

    hour = models.DateTimeField(primary_key=True, help_text="Its beginning.")
    calls = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.calls} calls from {self.hour:%Y-%m-%d %H:%M}"


class StoredObject(Timestamped):
    """One object in a store: the row is made before the object, and goes after it.

    `owner_id` is whose quota it counts against. It is no foreign key, since the object outlives
    the account until its tombstone has ended.
    """

    name = models.CharField(max_length=200, unique=True, help_text="Says which store has it, too.")
    owner_id = models.BigIntegerField(null=True, help_text="Id of the account.")
    size_bytes = models.BigIntegerField(default=0)
    etag = models.CharField(max_length=32, blank=True, help_text="MD5, where it is known.")
    kept_at = models.DateTimeField(null=True, help_text="None until all its bytes are there.")
    missing_since = models.DateTimeField(null=True, help_text="When the sweep first missed it.")

    class Meta:
        indexes = [
            models.Index(fields=["owner_id"], name="stored_by_owner"),
            models.Index(
                fields=["created_at"], condition=models.Q(kept_at=None), name="stored_expected"
            ),
            models.Index(
                fields=["missing_since"],
                condition=models.Q(missing_since__isnull=False),
                name="stored_missing",
            ),
        ]

    def __str__(self) -> str:
        return self.name
