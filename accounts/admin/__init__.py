"""Accounts in the administration. Importing a module registers its pages."""

from accounts.admin import figures, invitations, people, sessions

__all__ = ["figures", "invitations", "people", "sessions"]
