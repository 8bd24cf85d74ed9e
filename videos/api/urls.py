"""Routes of the API."""

from django.urls import URLPattern, path

from videos.api.comments import CommentViewSet, HeldComments
from videos.api.direct import DirectUpload, DirectUploads, Pieces
from videos.api.subtitles import SubtitlesView
from videos.api.uploads import RetryView, UploadView
from videos.api.views import OwnLists, PersonVideos, VideoViewSet

VIDEO = "videos/<int:video_id>"
COMMENT = "comments/<int:comment_id>"

urlpatterns: list[URLPattern] = [
    path("video", UploadView.as_view(), name="api-upload"),
    path("video/upload", DirectUploads.as_view(), name="api-uploads"),
    path("video/upload/<uuid:upload_id>", DirectUpload.as_view(), name="api-upload-state"),
    path("video/upload/<uuid:upload_id>/pieces", Pieces.as_view(), name="api-upload-pieces"),
    path(f"{VIDEO}/retry", RetryView.as_view(), name="api-video-retry"),
    path("videos", VideoViewSet.as_view({"get": "list"}), name="api-videos"),
    path(
        VIDEO,
        VideoViewSet.as_view(
            {
                "get": "retrieve",
                "put": "update",
                "patch": "partial_update",
                "delete": "destroy",
            }
        ),
        name="api-video",
    ),
    path(
        f"{VIDEO}/like",
        VideoViewSet.as_view({"post": "like", "delete": "unlike"}),
        name="api-video-like",
    ),
    path(
        f"{VIDEO}/save",
        VideoViewSet.as_view({"post": "save", "delete": "unsave"}),
        name="api-video-save",
    ),
    path(f"{VIDEO}/share", VideoViewSet.as_view({"post": "share"}), name="api-video-share"),
    path(f"{VIDEO}/report", VideoViewSet.as_view({"post": "report"}), name="api-video-report"),
    path(f"{VIDEO}/subtitles/<str:language>", SubtitlesView.as_view(), name="api-video-subtitles"),
    path(f"{VIDEO}/comments", CommentViewSet.as_view({"get": "list"}), name="api-comments"),
    path(f"{VIDEO}/comment", CommentViewSet.as_view({"post": "create"}), name="api-comment-add"),
    path(COMMENT, CommentViewSet.as_view({"delete": "destroy"}), name="api-comment"),
    path(
        f"{COMMENT}/like",
        CommentViewSet.as_view({"post": "like", "delete": "unlike"}),
        name="api-comment-like",
    ),
    path(
        f"{COMMENT}/hide",
        CommentViewSet.as_view({"post": "hide", "delete": "show"}),
        name="api-comment-hide",
    ),
    path(
        f"{COMMENT}/approve", CommentViewSet.as_view({"post": "show"}), name="api-comment-approve"
    ),
    path(
        f"{COMMENT}/pin",
        CommentViewSet.as_view({"post": "pin", "delete": "unpin"}),
        name="api-comment-pin",
    ),
    path("user/held-comments", HeldComments.as_view({"get": "held"}), name="api-held-comments"),
    path(
        "users/<str:reference>/videos",
        PersonVideos.as_view({"get": "list"}),
        name="api-person-videos",
    ),
    path("user/liked", OwnLists.as_view({"get": "liked"}), name="api-liked"),
    path("user/saved", OwnLists.as_view({"get": "saved"}), name="api-saved"),
]
