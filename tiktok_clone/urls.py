"""All routes: the API at the root, the pages beside it, and what operators need."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from tiktok_clone.common import views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("schema", SpectacularAPIView.as_view(permission_classes=[]), name="schema"),
    path(
        "docs",
        SpectacularSwaggerView.as_view(permission_classes=[], url_name="schema"),
        name="docs",
    ),
    path("", include("accounts.api.urls")),
    path("", include("videos.api.urls")),
    path("", include("feeds.api.urls")),
    path("", include("accounts.urls")),
    path("", include("videos.urls")),
    path("", include("feeds.urls")),
    path(settings.ADMIN_PATH, admin.site.urls),
]

handler400 = "tiktok_clone.common.views.bad_request"
handler403 = "tiktok_clone.common.views.permission_denied"
handler404 = "tiktok_clone.common.views.page_not_found"
handler500 = "tiktok_clone.common.views.server_error"
