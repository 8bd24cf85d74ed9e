"""Comments under a video, and what people do with one."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated, IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from accounts.throttling import ahead
from tiktok_clone.common import idempotent
from tiktok_clone.common.api import refuse_unknown_options
from tiktok_clone.common.errors import invalid, not_found
from videos import listing
from videos.api import serializers
from videos.api.paging import NewestFirst, OldestFirst
from videos.api.views import PAGING, viewer_of
from videos.models import Comment, Video
from videos.representation import represent_comments
from videos.services import comments, curating
from videos.text import read_id

PARENT = OpenApiParameter("parent", int, description="Replies to this comment, the oldest first.")


class CommentViewSet(GenericViewSet[Comment]):
    """Comments that the asker may see."""

    queryset = Comment.objects.none()
    permission_classes = [IsAuthenticatedOrReadOnly]
    serializer_class = serializers.CommentSerializer
    pagination_class = NewestFirst
    filter_backends: list[Any] = []
    lookup_url_kwarg = "comment_id"

    @extend_schema(summary="List comments", parameters=[PARENT])
    def list(self, request: Request, video_id: int) -> Response:
        """Comments without replies, the latest first; or the replies to one.

        Pinned ones stand above the first page, beside as many others as `limit` says.
        """
        refuse_unknown_options(request, PAGING | {"parent"})
        video = Video.objects.visible_to(request.user).filter(pk=video_id).first()
        if video is None:
            raise not_found("video")
        parent_id = _parent(request)
        roots = listing.comments_of(video, request.user)
        if parent_id is not None and not roots.filter(pk=parent_id).exists():
            raise not_found("comment")
        # Replies read like a conversation.
        pages = NewestFirst() if parent_id is None else OldestFirst()
        found = listing.comments_of(video, request.user, parent_id).filter(pinned_at=None)
        rows = list(pages.paginate_queryset(found, request, self) or [])
        if parent_id is None and "cursor" not in request.query_params:
            rows = [*listing.pinned_of(video, request.user), *rows]
        return pages.get_paginated_response(represent_comments(rows, request.user.pk))

    @extend_schema(
        summary="Comment or reply",
        parameters=[idempotent.PARAMETER],
        request=serializers.WriteCommentSerializer,
        responses={201: serializers.CommentSerializer},
    )
    @idempotent.idempotent(ahead("comment_user"))
    def create(self, request: Request, video_id: int) -> Response:
        """Comment on a video; a reply to a reply joins its thread."""
        wanted = serializers.WriteCommentSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        user = viewer_of(request)
        comment = comments.add_comment(
            user, video_id, wanted.validated_data["text"], wanted.validated_data.get("parent")
        )
        return Response(represent_comments([comment], user.pk)[0], status.HTTP_201_CREATED)

    @extend_schema(summary="Delete a comment", responses={204: None})
    def destroy(self, request: Request, comment_id: int) -> Response:
        """Delete one's own comment, or one under one's own video, with its replies."""
        comments.delete_comment(viewer_of(request), comment_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Like a comment", request=None, responses=serializers.LikedSerializer)
    def like(self, request: Request, comment_id: int) -> Response:
        """Like a comment; again changes nothing."""
        count = comments.like_comment(viewer_of(request), comment_id)
        return Response({"liked": True, "likes_count": count})

    @extend_schema(summary="Unlike a comment", responses={200: serializers.LikedSerializer})
    def unlike(self, request: Request, comment_id: int) -> Response:
        """Take the like back; again changes nothing."""
        count = comments.unlike_comment(viewer_of(request), comment_id)
        return Response({"liked": False, "likes_count": count})

    @extend_schema(
        summary="Approve or show again",
        request=None,
        responses={200: serializers.CommentSerializer},
    )
    def show(self, request: Request, comment_id: int) -> Response:
        """Show a comment under one's own video that is held or hidden; again changes nothing."""
        return self._curate(curating.show_comment, comment_id)

    @extend_schema(summary="Hide a comment", request=None, responses=serializers.CommentSerializer)
    def hide(self, request: Request, comment_id: int) -> Response:
        """Hide a comment under one's own video, with its replies; again changes nothing."""
        return self._curate(curating.hide_comment, comment_id)

    @extend_schema(summary="Pin a comment", request=None, responses=serializers.CommentSerializer)
    def pin(self, request: Request, comment_id: int) -> Response:
        """Have a comment stand above the others, three at most; again changes nothing."""
        return self._curate(curating.pin_comment, comment_id)

    @extend_schema(summary="Unpin a comment", responses={200: serializers.CommentSerializer})
    def unpin(self, request: Request, comment_id: int) -> Response:
        """Let it stand where it stood; again changes nothing."""
        return self._curate(curating.unpin_comment, comment_id)

    def _curate(self, act: Callable[[User, int], Comment], comment_id: int) -> Response:
        user = viewer_of(self.request)
        return Response(represent_comments([act(user, comment_id)], user.pk)[0])

    @extend_schema(
        summary="List comments that wait for your approval",
        operation_id="user_held_comments",
        responses=serializers.HeldCommentsPageSerializer,
    )
    def held(self, request: Request) -> Response:
        """Under all of one's own videos, the latest first."""
        refuse_unknown_options(request, PAGING)
        pages = NewestFirst()
        rows = pages.paginate_queryset(listing.held_for(viewer_of(request)), request, self)
        return pages.get_paginated_response(represent_comments(rows or [], request.user.pk))


class HeldComments(CommentViewSet):
    """The list that is its owner's alone."""

    permission_classes = [IsAuthenticated]


def _parent(request: Request) -> int | None:
    raw = request.query_params.get("parent")
    if raw is None:
        return None
    parent_id = read_id(raw)
    if parent_id is None:
        raise invalid("parent", "invalid", "Must be the id of a comment.")
    return parent_id
