"""Routes of the API."""

from django.urls import URLPattern, path

from feeds.api.discovery import Hashtags, History, PeopleSearch
from feeds.api.export import ExportDownloadView, ExportView
from feeds.api.notifications import Bells, GroupView, ReadView, SwitchesView, UnreadView
from feeds.api.recommendations import Recommendations
from feeds.api.views import FeedView, NotInterestedView, ViewsView, WhyView
from feeds.taste import CREATOR, HASHTAG

urlpatterns: list[URLPattern] = [
    path("videos/feed", FeedView.as_view(), name="api-feed"),
    path("users", PeopleSearch.as_view({"get": "list"}), name="api-people-search"),
    path("hashtags", Hashtags.as_view({"get": "list"}), name="api-hashtags"),
    path("hashtags/trending", Hashtags.as_view({"get": "trending"}), name="api-hashtags-trending"),
    path(
        "user/history",
        History.as_view({"get": "list", "delete": "clear"}),
        name="api-history",
    ),
    path(
        "user/history/<int:video_id>",
        History.as_view({"delete": "destroy"}),
        name="api-history-video",
    ),
    path("user/export", ExportView.as_view(), name="api-export"),
    path("user/export/download", ExportDownloadView.as_view(), name="api-export-download"),
    # The list is at the address of its page; see feeds/urls.py.
    path("notifications/unread-count", UnreadView.as_view(), name="api-unread-count"),
    path("notifications/read", ReadView.as_view(), name="api-notifications-read"),
    path("notifications/settings", SwitchesView.as_view(), name="api-notifications-settings"),
    path("notifications/groups/<slug:topic>", GroupView.as_view(), name="api-notifications-group"),
    path(
        "users/<str:reference>/bell",
        Bells.as_view({"get": "retrieve", "post": "switch_on", "delete": "switch_off"}),
        name="api-bell",
    ),
    path(
        "user/recommendations",
        Recommendations.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="api-recommendations",
    ),
    path(
        "user/recommendations/reset",
        Recommendations.as_view({"post": "reset"}),
        name="api-recommendations-reset",
    ),
    *(
        path(
            f"user/{of}/{what}s/<str:name>",
            Recommendations.as_view({"delete": act}),
            {"what": what},
            name=f"api-{of}-{what}",
        )
        for of, act in (("recommendations", "forget"), ("refusals", "allow"))
        for what in (CREATOR, HASHTAG)
    ),
    path("videos/views", ViewsView.as_view(), name="api-views"),
    path(
        "videos/<int:video_id>/not-interested",
        NotInterestedView.as_view(),
        name="api-not-interested",
    ),
    path("videos/<int:video_id>/why", WhyView.as_view(), name="api-why"),
]
