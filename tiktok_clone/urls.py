"""All routes: the API at the root, the pages beside it, and what operators need."""

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularSwaggerSplitView

from tiktok_clone.common import views
from tiktok_clone.common.describing import DescriptionView
from tiktok_clone.common.texts import site_text
from tiktok_clone.operations.views import metrics

# Its start-up script comes from a URL of its own; only its style sheet is in the page.
docs = csp_update({"style-src": [UNSAFE_INLINE]})(
    SpectacularSwaggerSplitView.as_view(permission_classes=[], url_name="schema")
)

urlpatterns = [
    # Routes are tried one after the other, and the feed's is asked for most.
    path("", include("feeds.api.urls")),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("schema", DescriptionView.as_view(), name="schema"),
    path("docs", docs, name="docs"),
    path("terms", site_text, {"slug": "terms"}, name="terms"),
    path("privacy", site_text, {"slug": "privacy"}, name="privacy"),
    path("", include("accounts.api.urls")),
    path("", include("videos.api.urls")),
    path("", include("accounts.urls")),
    path("", include("videos.urls")),
    path("", include("feeds.urls")),
    path(settings.ADMIN_PATH, admin.site.urls),
]

handler400 = "tiktok_clone.common.views.bad_request"
handler403 = "tiktok_clone.common.views.permission_denied"
handler404 = "tiktok_clone.common.views.page_not_found"
handler500 = "tiktok_clone.common.views.server_error"
