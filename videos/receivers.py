"""What this app does when something happens to an account."""

from typing import Any

from django.db.models.signals import pre_delete
from django.dispatch import receiver

from accounts.models import User
from accounts.signals import user_changed, user_deleting, user_purging
from videos import publication
from videos.forgetting import forget_person
from videos.media import arriving
from videos.models import Upload
from videos.services import publishing


@receiver(user_purging)
def forget(user: User, **_: Any) -> None:
    """Take back what the person did, before the cascade would, so that counts stay exact."""
    forget_person(user.pk)


@receiver(user_purging)
def bury_media(user: User, **_: Any) -> None:
    """Leave tombstones for all that the person has in the stores, the picture included."""
    publication.bury_all_of(user)


@receiver(pre_delete, sender=Upload)
def remove_pieces(instance: Upload, **_: Any) -> None:
    """Whatever deletes an upload, a clip or an account with it: the file of its pieces goes."""
    arriving.remove_pieces(instance)


@receiver(user_changed)
def recount_tags(user: User, changed: frozenset[str], **_: Any) -> None:
    """Tags count what everybody may see: nothing of a private or suspended account."""
    if changed & {"is_private", "is_active"}:
        publishing.recount_tags_later(user.pk)


@receiver(user_deleting)
def recount_tags_of_deleted(user: User, **_: Any) -> None:
    """What a deleted account posted is hidden at once."""
    publishing.recount_tags_later(user.pk)


@receiver(user_changed)
def place_videos(user: User, changed: frozenset[str], **_: Any) -> None:
    """An account that becomes public enters the seeded shuffle with what it has."""
    if "is_private" in changed and not user.is_private:
        publishing.place_later(user.pk)
