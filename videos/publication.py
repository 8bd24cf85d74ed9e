"""How a video comes out, changes its audience and goes: the rows that change together.

Part of the machinery: the worker publishes as well, and services call it too. Locks are
taken in one order: the video, its hashtags, its author, the counter of slots last.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import CLOUDINARY, LOCAL, ledger, naming
from videos import signals
from videos.captions import link_caption, recount_tags, tag_ids
from videos.models import Rendition, SlotEpoch, Status, Tombstone, Video, VideoHashtag, Visibility

# A process that was writing when the video went may still finish its file, and whoever has a
# ticket for an upload to Cloudinary can use it for an hour; look again then.
SECOND_LOOK = timedelta(hours=2)


def lock(video_id: int) -> Video | None:
    """Return the row locked until the caller's transaction ends, or None when it is gone."""
    rows = Video.objects.select_for_update(of=("self",)).select_related("author")
    return rows.filter(pk=video_id).first()


@transaction.atomic
def publish(made: Video, renditions: Iterable[Rendition]) -> bool:
    """Make a processed video ready, visible and counted.

    Args:
        made: the row as its attempt began, with poster, placeholder and sizes filled in.
        renditions: unsaved rows of what was made.

    Returns:
        False when the video was deleted or published meanwhile, or another attempt took over.
    """
    video = lock(made.pk)
    if video is None or video.attempt != made.attempt or video.status == Status.READY:
        return False
    result = {
        name: getattr(made, name)
        for name in ("poster", "placeholder", "width", "height", "duration")
    }
    first_time = video.published_at is None
    # Provisional until the stamp, which comes last because it makes all publications wait.
    result["published_at"] = video.published_at or timezone.now()
    if not video.advance(Status.READY, progress=100, reason="", reason_code="", **result):
        return False
    add_renditions(video, renditions)
    link_caption(video)
    recount_videos(video.author_id)
    if first_time:
        stamp(video)
    signals.video_ready.send(sender=Video, video=video)
    if video.visibility != Visibility.PRIVATE:
        signals.video_published.send(sender=Video, video=video)
    return True


def add_renditions(video: Video, renditions: Iterable[Rendition]) -> None:
    """Save rows of renditions; a rung that is there already keeps its first one."""
    Rendition.objects.bulk_create(renditions, ignore_conflicts=True)


def stamp(video: Video, *, keep_time: bool = False) -> None:
    """Give the video its publication time and, if everybody may see it, its place in the shuffle.

    Called when it is ready and again when it becomes public for the first time: to everybody
    it is new only then, and no snapshot taken before may contain it. `keep_time` is for a video
    that friends could see already: one who is scrolling must not lose it.

    Whether the account is private is read anew: the author's row is locked by now, and may have
    changed since the video was read.
    """
    is_private = User.objects.filter(pk=video.author_id, is_private=True).exists()
    public = video.visibility == Visibility.PUBLIC and not is_private
    given = SlotEpoch.objects.stamp(take_slot=public and video.slot is None)
    if not keep_time:
        video.published_at = given.published_at
    video.slot = given.slot if given.slot is not None else video.slot
    Video.objects.filter(pk=video.pk).update(published_at=video.published_at, slot=video.slot)


def place(author_id: int) -> int:
    """Give slots to an author's public videos that have none; returns how many.

    For an account that becomes public; their publication times stay. One transaction each,
    since a slot must be committed before the next one is handed out.
    """
    rows = Video.objects.filter(
        author=author_id, status=Status.READY, visibility=Visibility.PUBLIC, slot=None
    )
    return sum(_place(pk) for pk in list(rows.order_by("pk").values_list("pk", flat=True)))


@transaction.atomic
def _place(video_id: int) -> bool:
    video = lock(video_id)
    if video is None or video.slot is not None or video.author.is_private:
        return False
    if video.visibility != Visibility.PUBLIC or not video.published_at:
        return False
    slot = SlotEpoch.objects.stamp(take_slot=True).slot
    return bool(Video.objects.filter(pk=video.pk).update(slot=slot))


def lose(video: Video) -> bool:
    """Take a locked video whose files are missing off the site. Returns whether it was ready."""
    if not video.lose_media():
        return False
    recount(video)
    signals.video_hidden.send(sender=Video, video=video)
    signals.video_failed.send(sender=Video, video=video)
    return True


def regain(video: Video) -> bool:
    """Show a locked video again whose files were missing, in its old place. Returns whether so."""
    if not video.regain_media():
        return False
    recount(video)
    if video.slot is None and video.visibility == Visibility.PUBLIC:
        stamp(video, keep_time=True)  # it became public meanwhile
    signals.video_shown.send(sender=Video, video=video)
    signals.video_ready.send(sender=Video, video=video)
    return True


def recount(video: Video) -> None:
    """Count the tags and the author's clips anew, which are only those that everybody may see."""
    link_caption(video)
    recount_videos(video.author_id)


def remove(video: Video) -> None:
    """Delete a locked video with all that hangs on it, and leave tombstones for its objects."""
    tags = tag_ids(video)
    bury_twice(_folders_of_clip(video))
    signals.video_deleted.send(sender=Video, video=video)
    VideoHashtag.objects.filter(video=video).delete()
    recount_tags(tags)
    recount_videos(video.author_id, leaving=video)
    # Last, since it locks what hangs on the video: a follow holds the author's row while it
    # waits for such a row.
    video.delete()


def _folders_of_clip(video: Video) -> list[str]:
    """Its folder and, if there is something in it, that in the other store: of a killed move."""
    folders = {naming.named(kind, f"videos/{video.uuid}") for kind in (LOCAL, CLOUDINARY)}
    used = {folder for folder in folders if ledger.below(folder).exists()}
    return sorted(used | {video.folder})


def bury(name: str, after: timedelta = timedelta()) -> None:
    """Have an object, or all below a prefix, removed from the store; part of the transaction."""
    Tombstone.objects.create(name=name, due_at=timezone.now() + after)


def bury_twice(names: Iterable[str]) -> None:
    """The same now, and again when nobody can be writing there any more."""
    now = timezone.now()
    Tombstone.objects.bulk_create(
        [Tombstone(name=name, due_at=due) for name in names for due in (now, now + SECOND_LOOK)]
    )


def folders_of(person: User) -> set[str]:
    """The folders of all that somebody has in the stores, pictures and exports included.

    The books know more than the rows: what was replaced and is not gone yet, what moved.
    """
    books = StoredObject.objects.filter(owner_id=person.pk).values_list("name", flat=True)
    clips = Video.objects.filter(author=person).only("store", "uuid")
    folders = {naming.folder_of(name) for name in books} | {clip.folder for clip in clips}
    return folders | ({naming.folder_of(person.avatar)} if person.avatar else set())


def bury_all_of(person: User) -> None:
    """Leave tombstones for everything that somebody has in the stores."""
    bury_twice(sorted(folders_of(person)))


def recount_videos(author_id: int, *, leaving: Video | None = None) -> None:
    """Count an author's published public videos anew, exactly, but for one about to be deleted.

    The author's row is locked first and counted by a statement of its own, which sees what
    everybody who held the lock before has committed.
    """
    people = User.objects.select_for_update(no_key=True).filter(pk=author_id)
    author = people.only("likes_count").first()
    if author is None:
        return
    public = Video.objects.filter(
        author=author_id,
        status=Status.READY,
        visibility=Visibility.PUBLIC,
        hidden_at=None,
        published_at__isnull=False,
    )
    likes = author.likes_count
    if leaving is not None:
        public = public.exclude(pk=leaving.pk)
        likes = max(0, likes - leaving.likes_count)
    User.objects.filter(pk=author_id).update(videos_count=public.count(), likes_count=likes)
