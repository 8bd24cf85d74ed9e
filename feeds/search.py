"""People and hashtags by words; videos are found by `videos.filters`."""

from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from accounts.models import User
from videos.models import Hashtag
from videos.text import fold_tag

if TYPE_CHECKING:
    from accounts.models.user import Viewer


def find_people(viewer: "Viewer", q: str) -> QuerySet[User]:
    """Return people with the words in handle or name, the most followed first."""
    words = q.removeprefix("@")
    people = User.objects.visible_to(viewer)
    people = people.filter(Q(handle__icontains=words) | Q(name__icontains=words))
    return people.order_by("-followers_count", "id")


def find_tags(q: str = "") -> QuerySet[Hashtag]:
    """Return hashtags in use that contain the word, the most used first."""
    tags = Hashtag.objects.filter(videos_count__gt=0, name__contains=fold_tag(q.removeprefix("#")))
    return tags.order_by("-videos_count", "name")
