"""Fills the demo: people first, then their clips, which take the way of everybody's uploads.

Each step looks at what is there already, so it can be repeated and goes on after an
interruption.
"""

import random
import tempfile
from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.services import check_avatar, follow, set_avatar
from feeds.demo.clips import CLIPS, Clip, render
from feeds.demo.people import (
    ANSWERS,
    DEMO_PASSWORD,
    PEOPLE,
    PERSON_BY_HANDLE,
    REMARKS,
    Person,
    portrait,
)
from videos.models import Comment, Status, Video, Visibility
from videos.services.comments import add_comment, like_comment
from videos.services.engagement import like_video, save_video
from videos.services.publishing import create_video


def ensure_people() -> int:
    """Make the people and let them follow each other. Returns how many were new."""
    new = [person for person in PEOPLE if not User.objects.filter(handle=person.handle).exists()]
    for person in new:
        _make(person)
    if new:
        _follow_each_other()
    return len(new)


def missing_clips() -> list[Clip]:
    """The clips that nobody has posted yet, in the order of CLIPS."""
    posted = set(_posted().values_list("author__handle", "caption"))
    return [clip for clip in CLIPS if (clip.author, clip.caption) not in posted]


def find_clip(clip: Clip) -> Video | None:
    """The video of a clip, in whichever state."""
    return _posted().filter(author__handle=clip.author, caption=clip.caption).first()


def ready_clips() -> int:
    """How many clips can be watched."""
    return _posted().filter(status=Status.READY).count()


def unfinished_clips() -> int:
    """How many clips still wait for the worker."""
    waiting = (Status.RESERVED, Status.UPLOADING, Status.STORED, Status.PROCESSING)
    return _posted().filter(status__in=waiting).count()


def post_clip(clip: Clip) -> Video:
    """Draw a clip and upload it as its author; the worker does the rest."""
    author = User.objects.get(handle=clip.author)
    with tempfile.TemporaryDirectory(prefix="loopy-demo-") as folder:
        return create_video(author, render(clip, Path(folder)), clip.caption, clip.visibility)


def react_to(clip: Clip, video: Video) -> None:
    """Let the people like, save and comment a ready clip, each after their taste.

    The choices depend on the clip's name alone, so doing it twice changes nothing.
    """
    if video.visibility != Visibility.PUBLIC or video.comments_count:
        return
    choices = random.Random(clip.name)
    people = {user.handle: user for user in User.objects.filter(handle__in=PERSON_BY_HANDLE)}
    others = [person for person in PEOPLE if person.handle != clip.author]
    fans = [p for p in others if choices.random() < (0.85 if clip.theme in p.likes else 0.25)]
    for person in fans:
        like_video(people[person.handle], video.pk)
        if choices.random() < 0.3:
            save_video(people[person.handle], video.pk)
    speakers = choices.sample(others, choices.randint(2, 4))
    with transaction.atomic():
        _talk(choices, clip, video, people, speakers)


def _talk(
    choices: random.Random,
    clip: Clip,
    video: Video,
    people: dict[str, User],
    speakers: list[Person],
) -> None:
    remarks = choices.sample(REMARKS[clip.theme], len(speakers))
    for person, remark in zip(speakers, remarks, strict=True):
        comment: Comment = add_comment(people[person.handle], video.pk, remark)
        if choices.random() < 0.6:
            like_comment(people[clip.author], comment.pk)
        if choices.random() < 0.35:
            add_comment(people[clip.author], video.pk, choices.choice(ANSWERS), comment.pk)


def _posted() -> QuerySet[Video]:
    captions = [clip.caption for clip in CLIPS]
    return Video.objects.filter(author__handle__in=PERSON_BY_HANDLE, caption__in=captions)


def _make(person: Person) -> None:
    user = User.objects.create_user(
        person.email,
        person.handle,
        DEMO_PASSWORD,
        name=person.name,
        bio=person.bio,
        email_verified_at=timezone.now(),
    )
    picture = portrait(person)
    set_avatar(user, check_avatar(picture, picture.getbuffer().nbytes))


def _follow_each_other() -> None:
    """People follow those who post what they like; demo follows a few and has friends."""
    users = {user.handle: user for user in User.objects.filter(handle__in=PERSON_BY_HANDLE)}
    themes: dict[str, set[str]] = {}
    for clip in CLIPS:
        themes.setdefault(clip.author, set()).add(clip.theme)
    for person in PEOPLE:
        for author, posted in themes.items():
            if author != person.handle and posted & set(person.likes):
                follow(users[person.handle], users[author])
    for friend in ("leo", "noor", "amara"):
        follow(users[friend], users["demo"])
        follow(users["demo"], users[friend])
