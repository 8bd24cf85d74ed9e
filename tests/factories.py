"""Rows for tests, made directly; behaviour is tested through services and HTTP."""

from typing import Any

import factory
from factory.django import DjangoModelFactory

from accounts.models import Block, Follow, Friendship, User
from videos.models import Comment, Rendition, SlotEpoch, Status, Video, Visibility

PASSWORD = "correct horse battery"


class UserFactory(DjangoModelFactory):
    """A person who can sign in with PASSWORD."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.org")
    handle = factory.Sequence(lambda n: f"person{n}")
    name = factory.LazyAttribute(lambda person: person.handle.title())
    password = factory.django.Password(PASSWORD)


class VideoFactory(DjangoModelFactory):
    """A published video with one rendition's row (no bytes); see `draft=True`."""

    class Meta:
        model = Video
        skip_postgeneration_save = True

    author = factory.SubFactory(UserFactory)
    caption = factory.Sequence(lambda n: f"clip {n}")
    status = Status.READY
    progress = 100
    width, height, duration = 720, 1280, 8.0

    class Params:
        draft = factory.Trait(status=Status.STORED, progress=0)

    @classmethod
    def _create(cls, model_class: type[Video], *args: Any, **fields: Any) -> Video:
        if fields["status"] == Status.READY and "published_at" not in fields:
            author = fields["author"]
            public = fields.get("visibility", Visibility.PUBLIC) == Visibility.PUBLIC
            stamp = SlotEpoch.objects.stamp(take_slot=public and not author.is_private)
            fields |= {"published_at": stamp.published_at, "slot": stamp.slot}
        video: Video = super()._create(model_class, *args, **fields)
        if video.status == Status.READY:
            video.poster = f"{video.folder}/1/poster.webp"
            video.save(update_fields=["poster"])
            Rendition.objects.create(
                video=video,
                rung=360,
                width=360,
                height=640,
                bitrate=600_000,
                size_bytes=600_000,
                name=f"{video.folder}/1/360.mp4",
            )
        return video


class CommentFactory(DjangoModelFactory):
    """A comment."""

    class Meta:
        model = Comment

    video = factory.SubFactory(VideoFactory)
    author = factory.SubFactory(UserFactory)
    text = factory.Sequence(lambda n: f"comment {n}")


def befriend(one: User, other: User) -> None:
    """Both follow each other: two follows and a friendship."""
    Follow.objects.create(follower=one, followee=other)
    Follow.objects.create(follower=other, followee=one)
    low, high = sorted((one, other), key=lambda person: person.pk)
    Friendship.objects.create(low=low, high=high)


def block(blocker: User, blocked: User) -> None:
    """One blocks the other, as a bare row."""
    Block.objects.create(blocker=blocker, blocked=blocked)
