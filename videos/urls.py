"""Routes of the pages."""

from django.urls import URLPattern, path

from videos.views import acts, comments, media, oembed, pages, subtitles, upload, webhook

VIDEO = "@<str:handle>/video/<int:video_id>"
COMMENT = "comment/<int:comment_id>"

urlpatterns: list[URLPattern] = [
    path(VIDEO, pages.video, name="video"),
    path("upload", upload.upload, name="upload"),
    path("media/webhook", webhook.media_webhook, name="media-webhook"),
    path("media/<path:name>", media.media, name="media"),
    path(f"{VIDEO}/status", upload.status, name="upload-status"),
    path(f"{VIDEO}/edit", upload.edit, name="video-edit"),
    path(f"{VIDEO}/delete", upload.delete, name="video-delete"),
    path(f"{VIDEO}/retry", upload.retry, name="video-retry"),
    path(f"{VIDEO}/subtitles", subtitles.add, name="subtitles-add"),
    path(f"{VIDEO}/subtitles/<str:language>.vtt", subtitles.vtt, name="subtitles"),
    path(f"{VIDEO}/subtitles/<str:language>/delete", subtitles.remove, name="subtitles-delete"),
    path(f"{VIDEO}/comments", pages.video_comments, name="video-comments"),
    path(f"{VIDEO}/like", acts.like, name="video-like"),
    path(f"{VIDEO}/save", acts.save, name="video-save"),
    path(f"{VIDEO}/share", acts.share, name="video-share"),
    path(f"{VIDEO}/report", acts.report, name="video-report"),
    path(f"{VIDEO}/comment", acts.comment, name="video-comment"),
    path(f"{COMMENT}/delete", acts.comment_delete, name="comment-delete"),
    path(f"{COMMENT}/like", acts.comment_like, name="comment-like"),
    path(f"{COMMENT}/approve", acts.comment_approve, name="comment-approve"),
    path(f"{COMMENT}/hide", acts.comment_hide, name="comment-hide"),
    path(f"{COMMENT}/pin", acts.comment_pin, name="comment-pin"),
    path("settings/comments", comments.held, name="settings-comments"),
    path("shortcuts", pages.shortcuts, name="shortcuts"),
    path("oembed", oembed.oembed, name="oembed"),
    path("@<str:handle>/videos", pages.profile_videos, name="profile-videos"),
]
