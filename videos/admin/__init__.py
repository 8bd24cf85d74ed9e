"""Videos and all about them in the administration. Importing a module registers its pages."""

from videos.admin import appeals, clips, comments, figures, others, people, reports

__all__ = ["appeals", "clips", "comments", "figures", "others", "people", "reports"]
