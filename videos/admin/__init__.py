"""Videos and all about them in the administration. Importing a module registers its pages."""

from videos.admin import clips, comments, figures, others, people, reports

__all__ = ["clips", "comments", "figures", "others", "people", "reports"]
