"""Hashed names for static files, ES module imports included."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Rewrites `import … from "./x.js"` too: modules are cached for ever without a build."""

    support_js_module_import_aggregation = True
