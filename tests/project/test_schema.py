"""The API against its own description: generated requests, right and wrong ones.

A few examples an operation run with the suite; `SCHEMA_EXAMPLES=400` asks for more. Who may do
what is tested in tests/test_matrix.py.
"""

import json
import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import yaml
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from accounts.api.tokens import token_pair
from accounts.models import Follow, Session, User
from feeds.models import Impression
from tests.api_client import ApiClient
from tests.factories import CommentFactory, UserFactory, VideoFactory, befriend
from tiktok_clone.common import describing
from tiktok_clone.wsgi import application
from videos.captions import link_caption
from videos.counters import reconcile
from videos.models import Like, Save

pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "2"))
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]
api = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))
api.app = application


@pytest.fixture
def world() -> dict[str, Any]:
    """Somebody with friends, clips, comments and a history; values for addresses."""
    me, friend, stranger = UserFactory(), UserFactory(), UserFactory()
    befriend(me, friend)
    Follow.objects.create(follower=stranger, followee=me)
    clips = [VideoFactory(author=author, caption="#sea") for author in (me, friend, stranger)]
    for clip in clips:
        link_caption(clip)
        Like.objects.create(user=me, video=clip)
        Save.objects.create(user=me, video=clip)
        Impression.objects.create(user=me, video=clip, seconds=3, longest=3)
    comments = [
        CommentFactory(video=clip, author=author) for clip in clips for author in (me, friend)
    ]
    reconcile()
    User.objects.update(followers_count=2, following_count=2)  # enough to take some away
    session = Session.objects.create(user=me, kind=Session.Kind.API, token_id=uuid.uuid4())
    return {
        "token": token_pair(session)["access"],
        "video_id": [clip.pk for clip in clips],
        "comment_id": [comment.pk for comment in comments],
        "reference": [f"@{person.handle}" for person in (me, friend, stranger)],
        "session_id": [str(session.pk)],
    }


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """The server closes old connections between requests; here it is the test's own."""
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


@api.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_the_api_is_as_described(case: Any, world: dict[str, Any]) -> None:
    # What the description allows is mostly the id of nothing; two of three times it is somebody's.
    for name, known in world.items():
        given = case.path_parameters.get(name) if case.path_parameters else None
        if given is not None and _is_allowed(case) and hash(str(given)) % 3:
            case.path_parameters[name] = known[hash(str(given)) % len(known)]
    # The client does not unpack what is compressed.
    headers = {"Authorization": f"Bearer {world['token']}", "Accept-Encoding": "identity"}
    with transaction.atomic():
        case.call_and_validate(headers=headers, checks=CHECKS)
        transaction.set_rollback(True)


def _is_allowed(case: Any) -> bool:
    return case.meta is None or case.meta.generation.mode.is_positive


def test_the_description_is_made_without_a_warning() -> None:
    GENERATOR_STATS.reset()
    SchemaGenerator().get_schema(request=None, public=True)
    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache


def test_the_description_is_written_once_for_all(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    describing.written.cache_clear()
    as_json = {"Accept": "application/json"}
    described = client.get("/schema", headers=as_json)
    as_yaml = client.get("/schema")
    assert json.loads(described.content) == yaml.safe_load(as_yaml.content)
    assert "/videos/feed" in described.json()["paths"]
    assert described.headers["Content-Type"] == "application/json"
    assert as_yaml.headers["Content-Type"] == "application/vnd.oai.openapi; charset=utf-8"
    monkeypatch.setattr(SchemaGenerator, "get_schema", lambda *_, **__: pytest.fail("made again"))
    again = client.get("/schema", headers={**as_json, "Accept-Language": "pl"})
    assert again.content == described.content
    assert client.get("/schema?lang=de&version=7").content == as_yaml.content


@pytest.mark.parametrize(
    ("path", "body", "field", "code"),
    [
        ("/user/password/reset", {"email": 7}, "email", "invalid_type"),
        ("/user/password/reset", {"email": "a" + " " * 1000}, "email", "max_length"),
        ("/videos/views", {"views": [{"video": "1"}]}, "views.0.video", "invalid_type"),
        (
            "/videos/views",
            {"views": [{"video": 1, "completed": 0}]},
            "views.0.completed",
            "invalid_type",
        ),
    ],
)
def test_json_is_held_to_types_and_lengths_as_sent(
    path: str, body: Any, field: str, code: str, as_user: ApiClient
) -> None:
    errors = as_user.post(path, body, expect=400)["errors"]
    assert errors[field][0]["code"] == code


def test_numbers_of_a_form_are_text(as_user: ApiClient) -> None:
    comment = CommentFactory()
    form = {"text": "hello", "parent": str(comment.pk)}
    path = f"/videos/{comment.video_id}/comment"
    as_user.post(path, form, format="multipart", expect=201)
