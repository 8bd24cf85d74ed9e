"""A person: signs in by e-mail, is known by handle."""

from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import AnonymousUser, PermissionsMixin
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Lower
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone

from accounts.models.relationships import Block
from tiktok_clone.common.models import WORDS, Searchable, Timestamped
from tiktok_clone.common.storage import store

if TYPE_CHECKING:
    Viewer: TypeAlias = "User | AnonymousUser | None"

HANDLE_PATTERN = r"^[a-z0-9_.]{2,24}$"


class CommentsFrom(models.TextChoices):
    """Who may comment."""

    EVERYBODY = "everybody", "Everybody"
    FOLLOWERS = "followers", "Followers"
    FRIENDS = "friends", "Friends"
    NOBODY = "nobody", "Nobody"


class CommentsHeld(models.TextChoices):
    """Whose comments wait until the author of the video approves them."""

    NOBODY = "nobody", "Nobody’s"
    STRANGERS = "strangers", "Those of people you do not follow"
    EVERYBODY = "everybody", "Everybody’s"


class UserQuerySet(models.QuerySet["User"]):
    """Reads of people, with the field's words."""

    def active(self) -> Self:
        """Accounts that exist for others: not suspended, not deleted."""
        return self.filter(is_active=True, deleted_at=None)

    def visible_to(self, viewer: "Viewer") -> Self:
        """Active accounts, without those that block the viewer or are blocked by them."""
        people = self.active()
        if viewer is None or viewer.pk is None:
            return people
        return people.exclude(Exists(Block.objects.between(viewer.pk, OuterRef("pk"))))

    def by_reference(self, reference: str) -> Self:
        """Find by `@handle` or by e-mail address, whatever the letter case."""
        if reference.startswith("@"):
            return self.filter(handle=reference[1:].lower())
        # Lower on both sides: the unique index is over the lower case.
        return self.alias(address=Lower("email")).filter(address=Lower(Value(reference)))


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Makes accounts; people sign up through `accounts.services`."""

    def create_user(
        self, email: str, handle: str, password: str | None = None, **fields: Any
    ) -> "User":
        """Save a new account with a hashed password (none: it cannot sign in)."""
        user: User = self.model(
            email=self.normalize_email(email).lower(), handle=handle.lower(), **fields
        )
        user.name = user.name or user.handle
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, email: str, handle: str, password: str | None = None, **fields: Any
    ) -> "User":
        """Save a new administrator."""
        return self.create_user(email, handle, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find by e-mail address, whatever the letter case."""
        user: User = self.by_reference((username or "").lstrip("@")).get()
        return user


class User(AbstractBaseUser, PermissionsMixin, Timestamped, Searchable):
    """An account. Counters are exact: services change them with the rows they count."""

    SEARCHED = ("handle", "name")

    email = models.EmailField(max_length=254)
    handle = models.CharField(
        max_length=24,
        unique=True,
        validators=[
            RegexValidator(
                HANDLE_PATTERN,
                "Use 2 to 24 small letters, digits, dots and underscores.",
                "invalid_handle",
            )
        ],
    )
    name = models.CharField(max_length=50)
    bio = models.CharField(max_length=160, blank=True)
    avatar = models.CharField(max_length=200, blank=True, help_text="Object name in the store.")
    is_private = models.BooleanField(default=False)
    findable_by_email = models.BooleanField(default=True)
    follows_hidden = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Followers and followed people are shown to nobody else.",
    )
    profiling = models.BooleanField(
        default=True,
        db_default=True,
        help_text="The feed learns from what they do; without it nothing of that is kept.",
    )
    taste_since = models.DateTimeField(
        null=True, blank=True, help_text="What was done before says nothing about their taste."
    )
    comments_from = models.CharField(
        max_length=9,
        choices=CommentsFrom.choices,
        default=CommentsFrom.EVERYBODY,
        db_default=CommentsFrom.EVERYBODY,
        help_text="Who may comment on new videos.",
    )
    comments_held = models.CharField(
        max_length=9,
        choices=CommentsHeld.choices,
        default=CommentsHeld.NOBODY,
        db_default=CommentsHeld.NOBODY,
        help_text="Whose comments on new videos wait for approval.",
    )
    mutes_words = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Whether there are muted words: who has none pays nothing for them.",
    )
    invitation = models.ForeignKey(
        "accounts.Invitation", models.SET_NULL, null=True, blank=True, related_name="people"
    )
    email_verified_at = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    deleted_at = models.DateTimeField(null=True, blank=True)
    followers_count = models.PositiveIntegerField(default=0)
    following_count = models.PositiveIntegerField(default=0)
    videos_count = models.PositiveIntegerField(default=0)
    likes_count = models.PositiveIntegerField(default=0, help_text="Likes received.")

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["handle"]
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique_any_case"),
            models.CheckConstraint(
                condition=Q(handle__regex=HANDLE_PATTERN), name="user_handle_pattern"
            ),
        ]
        indexes = [
            models.Index(fields=["-followers_count", "id"], name="user_by_popularity"),
            models.Index(fields=["created_at"], name="user_by_age"),
            GinIndex(WORDS, name="user_search"),
        ]

    def __str__(self) -> str:
        return f"@{self.handle}"

    def get_absolute_url(self) -> str:
        """The profile page."""
        return reverse("profile", args=[self.handle])

    @property
    def avatar_url(self) -> str:
        """The picture, or the neutral one; never empty."""
        return store(self.avatar).url(self.avatar) if self.avatar else static("img/avatar.svg")

    @property
    def is_deleted(self) -> bool:
        """Hidden at once, purged later."""
        return self.deleted_at is not None

    def mark_deleted(self) -> None:
        """Hide the account; the purge follows as a job."""
        self.is_active = False
        self.deleted_at = timezone.now()
        self.save(update_fields=["is_active", "deleted_at"])
