"""Routes of the API."""

from django.urls import URLPattern, path

from feeds.api.views import FeedView, NotInterestedView, ViewsView, WhyView

urlpatterns: list[URLPattern] = [
    path("videos/feed", FeedView.as_view(), name="api-feed"),
    path("videos/views", ViewsView.as_view(), name="api-views"),
    path(
        "videos/<int:video_id>/not-interested",
        NotInterestedView.as_view(),
        name="api-not-interested",
    ),
    path("videos/<int:video_id>/why", WhyView.as_view(), name="api-why"),
]
