"""Routes of the pages."""

from django.urls import URLPattern, path

from videos.views import pages

VIDEO = "@<str:handle>/video/<int:video_id>"

urlpatterns: list[URLPattern] = [
    path(VIDEO, pages.video, name="video"),
]
