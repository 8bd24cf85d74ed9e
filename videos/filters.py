"""The options of `GET /videos`."""

import django_filters
from django.db.models import Q

from accounts.clients import client_of
from accounts.people import find_person
from tiktok_clone.common.errors import DomainError, invalid
from videos.models import Video
from videos.models.video import VideoQuerySet
from videos.text import fold_tag

QUERY_MAX = 100


class VideoFilter(django_filters.FilterSet):
    """Filters: whose, which tag, which words."""

    author = django_filters.CharFilter(
        method="by_author", label="Handle (with or without @) or e-mail address of the author."
    )
    tag = django_filters.CharFilter(method="by_tag", label="Hashtag, with or without #.")
    q = django_filters.CharFilter(
        method="by_words", label="Words that the caption or the author's name must have."
    )

    class Meta:
        model = Video
        fields: list[str] = []

    def by_author(self, videos: VideoQuerySet, name: str, value: str) -> VideoQuerySet:
        """Only of one person; an address is looked up as it is everywhere, counted and asked."""
        reference = _plain("author", value)
        if "@" not in reference[1:]:
            return videos.filter(author__handle=reference.removeprefix("@").lower())
        try:
            person = find_person(reference, self.request.user, client_of(self.request))
        except DomainError as error:
            if error.status != 404:
                raise
            return videos.none()
        return videos.filter(author=person)

    def by_tag(self, videos: VideoQuerySet, name: str, value: str) -> VideoQuerySet:
        """Only with one tag, in whatever letter case."""
        tag = fold_tag(_plain("tag", value).removeprefix("#"))
        return videos.filter(hashtags__name=tag)

    def by_words(self, videos: VideoQuerySet, name: str, value: str) -> VideoQuerySet:
        """Every word is in the caption, the handle or the name."""
        for word in _plain("q", value).split()[:10]:
            videos = videos.filter(
                Q(caption__icontains=word)
                | Q(author__handle__icontains=word)
                | Q(author__name__icontains=word)
            )
        return videos


def _plain(field: str, value: str) -> str:
    """Refuse what the database would choke on, by name."""
    if len(value) > QUERY_MAX:
        raise invalid(field, "max_length", f"Use at most {QUERY_MAX} characters.")
    if not value.isprintable():
        raise invalid(field, "control_characters", "Remove the control characters.")
    return value
