"""The options of `GET /videos`."""

import django_filters

from accounts.clients import client_of
from accounts.people import find_person
from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.folding import fold_tag
from tiktok_clone.common.searching import clean_query
from videos.models import Video
from videos.models.video import VideoQuerySet
from videos.relevance import with_words


class VideoFilter(django_filters.FilterSet):
    """Filters: whose, which tag, which words."""

    author = django_filters.CharFilter(
        method="by_author", label="Handle (with or without @) or e-mail address of the author."
    )
    tag = django_filters.CharFilter(method="by_tag", label="Hashtag, with or without #.")
    q = django_filters.CharFilter(
        method="by_words",
        label="Words, or their beginnings, of the caption or of the author's handle and name.",
    )

    class Meta:
        model = Video
        fields: list[str] = []

    def filter_queryset(self, queryset: VideoQuerySet) -> VideoQuerySet:
        """Nobody comes across those whom they mute, unless they ask for them."""
        if not self.form.cleaned_data.get("author"):
            queryset = queryset.not_muted_by(self.request.user)
        filtered: VideoQuerySet = super().filter_queryset(queryset)
        return filtered

    def by_author(self, videos: VideoQuerySet, name: str, value: str) -> VideoQuerySet:
        """Only of one person; an address is looked up as it is everywhere, counted and asked."""
        reference = clean_query("author", value)
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
        tag = fold_tag(clean_query("tag", value).removeprefix("#"))
        return videos.filter(hashtags__name=tag)

    def by_words(self, videos: VideoQuerySet, name: str, value: str) -> VideoQuerySet:
        """Every word begins one of the caption, or of the author's handle and name."""
        return with_words(videos, clean_query("q", value), self.request.user)
