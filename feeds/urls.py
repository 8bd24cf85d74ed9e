"""Routes of the pages."""

from django.urls import URLPattern, path
from django.views.generic import RedirectView

from feeds.api.notifications import NotificationsView
from feeds.taste import CREATOR, HASHTAG, VIDEO
from feeds.views import (
    browsing,
    export,
    history,
    notifications,
    recommendations,
    scrolling,
    searching,
)
from tiktok_clone.common.views import page_or_api

urlpatterns: list[URLPattern] = [
    path("", scrolling.feed, name="feed"),
    path("all", scrolling.everybody, name="feed-all"),
    path("following", scrolling.following, name="feed-following"),
    path("friends", scrolling.friends, name="feed-friends"),
    path("explore", browsing.explore, name="explore"),
    path("tag/<str:name>", browsing.tag, name="tag"),
    path("search", searching.search, name="search"),
    path("search/suggest", searching.suggest, name="search-suggest"),
    path("settings/export", export.own_data, name="settings-export"),
    path(
        "settings/recommendations",
        recommendations.recommendations,
        name="settings-recommendations",
    ),
    path(
        "settings/recommendations/switch",
        recommendations.switch,
        name="recommendations-switch",
    ),
    path("settings/recommendations/reset", recommendations.reset, name="recommendations-reset"),
    *(
        path(
            f"settings/recommendations/{what}/<str:name>/forget",
            recommendations.forget,
            {"what": what},
            name=f"recommendations-forget-{what}",
        )
        for what in (CREATOR, HASHTAG)
    ),
    *(
        path(
            f"settings/recommendations/{what}/<str:name>/allow",
            recommendations.allow,
            {"what": what},
            name=f"recommendations-allow-{what}",
        )
        for what in (VIDEO, CREATOR, HASHTAG)
    ),
    path("history", history.watched, name="history"),
    path("history/clear", history.clear, name="history-clear"),
    path("history/<int:video_id>/remove", history.remove, name="history-remove"),
    path(
        "notifications",
        page_or_api(notifications.listed, NotificationsView.as_view()),
        name="notifications",
    ),
    path("inbox", RedirectView.as_view(pattern_name="notifications"), name="inbox"),
    path("notifications/mark", notifications.mark, name="notifications-mark"),
    path("notifications/<slug:topic>", notifications.group, name="notification-group"),
    path("settings/notifications", notifications.switches, name="settings-notifications"),
    path("@<str:handle>/bell", notifications.bell, name="bell"),
]
