"""Routes of the API."""

from django.urls import URLPattern, path

from feeds.api.views import FeedView, ViewsView

urlpatterns: list[URLPattern] = [
    path("videos/feed", FeedView.as_view(), name="api-feed"),
    path("videos/views", ViewsView.as_view(), name="api-views"),
]
