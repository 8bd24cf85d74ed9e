"""What everything that can be read shows of a clip that is not for everybody.

The table of `test_matrix` says who is let in where; here every list, feed, search and file
is read by every kind of person, after all of them could see the clip and used it: what they
liked, saved, watched and commented must not bring it back.
"""

from dataclasses import dataclass, field

import pytest
from django.test import Client

from accounts import services
from accounts.models import Follow, FollowRequest, Mute, User
from feeds.services import Watched, record_views
from tests.factories import UserFactory, VideoFactory, befriend, block
from tiktok_clone.common.storage import local_store
from videos.captions import link_caption
from videos.models import Video, Visibility
from videos.services import comments, engagement

pytestmark = pytest.mark.django_db

WORD = "zebrafish"
SAID = "what a fine one"
STRANGERS = ("anonymous", "other", "requester", "former", "blocked", "staff")

LISTS = (
    "/",
    "/following",
    "/friends",
    "/explore",
    f"/tag/{WORD}",
    f"/search?q={WORD}",
    f"/search?q={WORD}&tab=videos",
    "/search/suggest?q=zebra",
    "/history",
    "/@{author}",
    "/@{author}/videos",
    "/@{reader}/videos?tab=liked",
    "/@{reader}/videos?tab=saved",
    "/videos",
    f"/videos?q={WORD}",
    f"/videos?tag={WORD}",
    "/videos?author={author}",
    "/users/@{author}/videos",
    "/videos/feed?limit=50",
    "/videos/feed?mode=following",
    "/videos/feed?mode=friends",
    "/user/liked",
    "/user/saved",
    "/user/history",
    "/hashtags?q=zebra",
    "/hashtags/trending",
)
ITSELF = (
    "/videos/{video}",
    "/videos/{video}/comments",
    "/videos/{video}/why",
    "/@{author}/video/{video}",
    "/@{author}/video/{video}/comments",
    "/oembed?url=/@{author}/video/{video}",
    "/media/{rendition}",
    "/media/{poster}",
)
# Where a follower of the private account must meet the clip, or this would prove nothing.
FOLLOWER_MEETS = {
    "/following", f"/tag/{WORD}", f"/search?q={WORD}", f"/search?q={WORD}&tab=videos",
    "/history", "/@{author}/videos", "/@{reader}/videos?tab=liked", "/@{reader}/videos?tab=saved",
    "/videos", f"/videos?q={WORD}", f"/videos?tag={WORD}", "/videos?author={author}",
    "/users/@{author}/videos", "/videos/feed?mode=following", "/user/liked", "/user/saved",
    "/user/history", "/videos/{video}", "/videos/{video}/comments",
    "/@{author}/video/{video}", "/@{author}/video/{video}/comments",
    "/media/{rendition}", "/media/{poster}",
}  # fmt: skip


@dataclass
class World:
    """A clip with its bytes, and those who read."""

    video: Video
    people: dict[str, User | None] = field(default_factory=dict)

    def met(self, who: str) -> set[str]:
        """The addresses at which somebody meets the clip, what it says, or its bytes."""
        reader = self.people[who]
        client = Client()
        if reader is not None:
            client.force_login(reader)
        values = {
            "author": self.video.author.handle,
            "reader": reader.handle if reader else self.video.author.handle,
            "video": self.video.pk,
            "rendition": self.video.renditions.get().name,
            "poster": self.video.poster,
        }
        return {
            path
            for path in (*LISTS, *ITSELF)
            if self._shows(client, path.format(**values), is_file=path.startswith("/media"))
        }

    def _shows(self, client: Client, path: str, *, is_file: bool) -> bool:
        answer = client.get(path, follow=True)
        if answer.status_code != 200:
            return False
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        if is_file:
            return body == b"bytes"
        shown = body.decode()
        tag_in_json = f'"name":"{WORD}"' in shown.replace('": "', '":"')
        return str(self.video.uuid) in shown or SAID in shown or tag_in_json


def use(reader: User, video: Video) -> None:
    """Like, save, watch and comment, as whoever may see the clip."""
    engagement.like_video(reader, video.pk)
    engagement.save_video(reader, video.pk)
    comments.add_comment(reader, video.pk, SAID)
    record_views(reader, [Watched(video.pk, 5.0)])


def published(author: User, **fields: str) -> Video:
    """A clip with a tag, and the bytes of its file and picture."""
    video = VideoFactory(author=author, caption=f"a #{WORD}", **fields)
    link_caption(video)
    for name in (video.renditions.get().name, video.poster):
        path = local_store().path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"bytes")
    return video


@pytest.fixture
def private_account() -> World:
    """A clip of a private account; everybody but `other` has followed it before."""
    shy = UserFactory(is_private=True)
    video = published(shy)
    names = ("requester", "former", "blocked", "follower", "muter", "staff", "other")
    people = {name: UserFactory() for name in names}
    for name, person in people.items():
        if name == "other":
            continue
        Follow.objects.create(follower=person, followee=shy)
        use(person, video)
    User.objects.update(followers_count=9, following_count=9)  # enough to take some away
    User.objects.filter(pk=people["staff"].pk).update(is_staff=True)
    services.remove_follower(shy, people["requester"])
    services.follow(people["requester"], shy)
    services.remove_follower(shy, people["former"])
    services.unfollow(people["staff"], shy)
    services.block(shy, people["blocked"])
    Mute.objects.create(muter=people["muter"], muted=shy)
    assert FollowRequest.objects.get().requester == people["requester"]
    return World(video, {"anonymous": None, "owner": shy, **people})


@pytest.mark.parametrize("who", STRANGERS)
def test_nobody_but_followers_meets_the_clip_of_a_private_account(
    private_account: World, who: str
) -> None:
    assert private_account.met(who) == set()


def test_a_follower_meets_it_wherever_it_belongs(private_account: World) -> None:
    assert private_account.met("follower") >= FOLLOWER_MEETS


def test_who_mutes_the_account_meets_it_only_where_they_go_to_look(private_account: World) -> None:
    met = private_account.met("muter")
    places = {path.format(author="x", reader="x", video=1, rendition="", poster="") for path in met}
    assert {"/following", "/videos", f"/search?q={WORD}", "/videos/feed?mode=following"} & met == (
        set()
    ), places
    assert {"/videos/{video}", "/@{author}/videos", "/user/liked", "/media/{rendition}"} <= met


def test_once_the_request_is_accepted_it_is_met_like_by_any_follower(
    private_account: World,
) -> None:
    shy = private_account.video.author
    services.accept_request(shy, FollowRequest.objects.get().pk)
    assert private_account.met("requester") >= FOLLOWER_MEETS


@pytest.fixture
def among_friends() -> World:
    """A clip for friends, of a public account; `former` has been a friend."""
    author = UserFactory()
    video = published(author, visibility=Visibility.FRIENDS)
    people = {name: UserFactory() for name in ("former", "friend", "follower", "other", "blocked")}
    for name in ("former", "friend", "blocked"):
        befriend(author, people[name])
        use(people[name], video)
    Follow.objects.create(follower=people["follower"], followee=author)
    User.objects.update(followers_count=9, following_count=9)
    services.unfollow(people["former"], author)
    block(people["blocked"], author)
    return World(video, {"anonymous": None, **people})


@pytest.mark.parametrize("who", ["anonymous", "other", "follower", "former", "blocked"])
def test_nobody_but_friends_meets_a_clip_for_friends(among_friends: World, who: str) -> None:
    assert among_friends.met(who) == set()


def test_a_friend_meets_it_wherever_it_belongs(among_friends: World) -> None:
    assert among_friends.met("friend") >= (FOLLOWER_MEETS | {"/friends"}) - {"/following"}
