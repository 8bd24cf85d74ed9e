"""Routes of the account pages."""

from django.urls import path

from accounts.views import decisions, people, requests, settings, signing_in

urlpatterns = [
    path("signup", signing_in.sign_up, name="signup"),
    path("signin", signing_in.sign_in, name="signin"),
    path("signout", signing_in.sign_out, name="signout"),
    path("password/reset", signing_in.password_reset, name="password-reset"),
    path(
        "password/reset/<str:uid>/<str:token>",
        signing_in.password_reset_confirm,
        name="password-reset-confirm",
    ),
    path("verify-email/<str:token>", signing_in.verify_email, name="verify-email"),
    path("people", people.suggestions, name="people"),
    path("people/requests", requests.requests, name="follow-requests"),
    path("people/requests/<int:request_id>/accept", requests.accept, name="request-accept"),
    path("people/requests/<int:request_id>/decline", requests.decline, name="request-decline"),
    path("settings", settings.profile, name="settings"),
    path("settings/privacy", settings.privacy, name="settings-privacy"),
    path("settings/people", settings.muted_and_blocked, name="settings-people"),
    path("settings/words", settings.muted_words, name="settings-words"),
    path("settings/security", settings.security, name="settings-security"),
    path(
        "settings/security/verification",
        signing_in.send_verification,
        name="send-verification",
    ),
    path("settings/sessions/all/end", settings.end_all_sessions, name="sessions-end-all"),
    path("settings/sessions/<uuid:session_id>/end", settings.end_session, name="session-end"),
    path("settings/playback", settings.playback, name="settings-playback"),
    path("settings/decisions", decisions.decisions, name="decisions"),
    path("settings/decisions/<int:decision_id>", decisions.decision, name="decision"),
    path("suspension/<str:token>", decisions.suspension, name="suspension"),
    path("settings/delete", settings.delete, name="settings-delete"),
    path("@<str:handle>", people.profile, name="profile"),
    path("@<str:handle>/followers", people.followers, name="profile-followers"),
    path("@<str:handle>/following", people.following, name="profile-following"),
    path("@<str:handle>/follow", people.follow, name="follow"),
    path("@<str:handle>/follower/remove", people.remove_follower, name="remove-follower"),
    path("@<str:handle>/mute", people.mute, name="mute"),
    path("@<str:handle>/block", people.block, name="block"),
]
