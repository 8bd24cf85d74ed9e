"""Routes of the API for accounts: the user's own paths, at the root, without trailing slashes."""

from django.urls import path

from accounts.api import (
    decisions,
    own_lists,
    people,
    schema,  # noqa: F401 - registers how the description names the ways to sign in
    views,
)

urlpatterns = [
    path("user/signup", views.SigningIn.as_view({"post": "sign_up"}), name="api-signup"),
    path("user/signin", views.SigningIn.as_view({"post": "sign_in"}), name="api-signin"),
    path("user/refresh", views.SigningIn.as_view({"post": "refresh"}), name="api-refresh"),
    path("user/password/reset", views.SigningIn.as_view({"post": "reset"}), name="api-reset"),
    path(
        "user/password/reset/confirm",
        views.SigningIn.as_view({"post": "confirm_reset"}),
        name="api-reset-confirm",
    ),
    path("user/signout", views.OwnAccount.as_view({"post": "sign_out"}), name="api-signout"),
    path("user/me", views.OwnAccount.as_view({"get": "me"}), name="api-me"),
    path(
        "user/password", views.OwnAccount.as_view({"post": "change_password"}), name="api-password"
    ),
    path(
        "user/suggestions",
        views.OwnAccount.as_view({"get": "suggestions"}),
        name="api-suggestions",
    ),
    path("user/requests", own_lists.FollowRequests.as_view({"get": "list"}), name="api-requests"),
    path(
        "user/requests/<int:request_id>/accept",
        own_lists.FollowRequests.as_view({"post": "accept"}),
        name="api-request-accept",
    ),
    path(
        "user/requests/<int:request_id>/decline",
        own_lists.FollowRequests.as_view({"post": "decline"}),
        name="api-request-decline",
    ),
    path("user/muted", own_lists.OwnPeople.as_view({"get": "muted"}), name="api-muted"),
    path("user/blocked", own_lists.OwnPeople.as_view({"get": "blocked"}), name="api-blocked"),
    path(
        "user/muted-words",
        own_lists.MutedWords.as_view({"get": "list", "post": "create"}),
        name="api-muted-words",
    ),
    path(
        "user/muted-words/<int:word_id>",
        own_lists.MutedWords.as_view({"delete": "destroy"}),
        name="api-muted-word",
    ),
    path(
        "hashtags/<str:name>/mute",
        own_lists.MutedWords.as_view({"post": "mute_hashtag", "delete": "unmute_hashtag"}),
        name="api-mute-hashtag",
    ),
    path("user/sessions", views.Sessions.as_view({"get": "list"}), name="api-sessions"),
    path(
        "user/sessions/all",
        views.Sessions.as_view({"delete": "destroy_all"}),
        name="api-sessions-all",
    ),
    path(
        "user/sessions/<uuid:session_id>",
        views.Sessions.as_view({"delete": "destroy"}),
        name="api-session",
    ),
    path("user/decisions", decisions.Decisions.as_view({"get": "list"}), name="api-decisions"),
    path(
        "user/decisions/<int:decision_id>",
        decisions.Decisions.as_view({"get": "retrieve"}),
        name="api-decision",
    ),
    path(
        "user/decisions/<int:decision_id>/appeal",
        decisions.Decisions.as_view({"post": "appeal"}),
        name="api-decision-appeal",
    ),
    path(
        "user/suspension/appeal",
        decisions.Suspension.as_view({"post": "appeal"}),
        name="api-suspension-appeal",
    ),
    path(
        "users/<str:reference>",
        people.People.as_view(
            {
                "get": "retrieve",
                "put": "update",
                "patch": "partial_update",
                "delete": "destroy",
            }
        ),
        name="api-person",
    ),
    path(
        "users/<str:reference>/follow",
        people.People.as_view({"post": "follow", "delete": "unfollow"}),
        name="api-follow",
    ),
    path(
        "users/<str:reference>/follower",
        people.People.as_view({"delete": "remove_follower"}),
        name="api-follower",
    ),
    path(
        "users/<str:reference>/mute",
        people.People.as_view({"post": "mute", "delete": "unmute"}),
        name="api-mute",
    ),
    path(
        "users/<str:reference>/block",
        people.People.as_view({"post": "block", "delete": "unblock"}),
        name="api-block",
    ),
    path(
        "users/<str:reference>/followers",
        people.Lists.as_view({"get": "followers"}),
        name="api-followers",
    ),
    path(
        "users/<str:reference>/following",
        people.Lists.as_view({"get": "following"}),
        name="api-following",
    ),
]
