"""Hashed names for static files, ES module imports included."""

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Rewrites `import … from "./x.js"` too: modules are cached for ever without a build."""

    support_js_module_import_aggregation = True


class UncompressedStaticFilesStorage(ManifestStaticFilesStorage):
    """The same names without compression, which takes half a minute of a first start."""

    support_js_module_import_aggregation = True
