"""One's own profile: texts, picture, privacy, and its end."""

from typing import IO, Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from PIL.Image import Image

from accounts import audit, avatars, rules, signals, tasks
from accounts.models import CommentsFrom, CommentsHeld, FollowRequest, StaffAct, User
from accounts.services.sessions import end_all_sessions
from accounts.services.signing_in import taken
from tiktok_clone.common import jobs
from tiktok_clone.common.storage import room

TEXTS = {"name": rules.name, "handle": rules.handle, "bio": rules.bio}
FLAGS = ("is_private", "findable_by_email", "follows_hidden")
CHOICES = {"comments_from": CommentsFrom, "comments_held": CommentsHeld}
AN_HOUR = 60 * 60
A_DAY = 24 * AN_HOUR


def update_profile(user: User, changes: dict[str, Any]) -> User:
    """Change some of name, handle, bio, the switches in FLAGS and the choices in CHOICES.

    Raises:
        DomainError: `invalid` with the fields.
    """
    texts = {field: changes[field] for field in TEXTS if field in changes}
    checks = {
        field: (lambda check=TEXTS[field], value=value: check(value))
        for field, value in texts.items()
    }
    checks |= {
        field: (lambda known=known, value=changes[field]: rules.choice(value, known))
        for field, known in CHOICES.items()
        if field in changes
    }
    values: dict[str, Any] = rules.gather(**checks)
    values |= {field: bool(changes[field]) for field in FLAGS if field in changes}
    changed = frozenset(name for name, value in values.items() if getattr(user, name) != value)
    if changed:
        _save(user, {name: values[name] for name in changed})
    return user


def _save(user: User, values: dict[str, Any]) -> None:
    try:
        with transaction.atomic():
            fresh = User.objects.select_for_update(no_key=True).get(pk=user.pk)
            for name, value in values.items():
                setattr(fresh, name, value)
            fresh.save(update_fields=values)
            signals.user_changed.send(User, user=fresh, changed=frozenset(values))
            if values.get("is_private") is False:
                jobs.enqueue(tasks.accept_waiting, user_id=user.pk)
    except IntegrityError as error:
        raise taken(error) from error
    for name, value in values.items():
        setattr(user, name, value)


def check_avatar(upload: IO[bytes], size_bytes: int) -> Image:
    """Decode an uploaded picture for `set_avatar`.

    Raises:
        DomainError: `invalid` for `avatar`.
    """
    return avatars.prepare(upload, size_bytes)


def set_avatar(user: User, image: Image) -> None:
    """Show another picture.

    A job that removes the new objects if nobody shows them is written before they are,
    so that a crash in between leaves nothing behind.

    Raises:
        DomainError: `storage_full` (507) or `store_unavailable` (503).
    """
    folder = avatars.new_folder()
    jobs.enqueue(tasks.sweep_avatar, folder=folder, delay=AN_HOUR)
    with room.refusing_when_full():
        name = avatars.save(image, folder, user.pk)
    _show_avatar(user, name)


def remove_avatar(user: User) -> None:
    """Show the neutral picture again."""
    _show_avatar(user, "")


def move_avatar(user_id: int, kind: str) -> bool:
    """Move somebody's picture to a kind of store; the old one stays a day for who has its address.

    Returns:
        Whether it moved; not if there is none, or it was changed meanwhile.

    Raises:
        OSError: a store did not do it; the picture is as it was.
    """
    user = avatars.elsewhere(kind).filter(pk=user_id).first()
    if user is None:
        return False
    before, folder = user.avatar, avatars.new_folder(kind)
    jobs.enqueue(tasks.sweep_avatar, folder=folder, delay=AN_HOUR)
    name = avatars.copy(avatars.folder_of(before), folder, user.pk)
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).filter(pk=user.pk).first()
        if locked is None or locked.avatar != before:
            return False
        _show_avatar(locked, name, old_stays=A_DAY)
    return True


def _show_avatar(user: User, name: str, old_stays: int | None = None) -> None:
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        old, locked.avatar = locked.avatar, name
        locked.save(update_fields=["avatar"])
        user.avatar = name
        if old:
            jobs.enqueue(tasks.sweep_avatar, folder=avatars.folder_of(old), delay=old_stays)
        signals.user_changed.send(User, user=user, changed=frozenset({"avatar"}))


def delete_account(user: User, by: User | None = None) -> None:
    """Hide an account at once and end its sessions; a job removes all of it soon.

    Args:
        by: who of the staff does it; None: its owner.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if locked.is_deleted:
            return
        user.mark_deleted()
        # Nobody waits for, or answers, somebody who is gone; new ones are refused from now on.
        FollowRequest.objects.filter(Q(requester=user) | Q(target=user)).delete()
        end_all_sessions(user, "account_deleted")
        signals.user_deleting.send(User, user=user)
        jobs.enqueue(tasks.purge_account, user_id=user.pk)
        if by is not None:
            audit.act(by, StaffAct.ACCOUNT_DELETED, audit.target_of(user))
            return
    audit.record("account_deleted", user=user.pk)
