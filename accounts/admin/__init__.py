"""Accounts in the administration. Importing a module registers its pages."""

from accounts.admin import figures, invitations, moderation, people, sessions, texts

__all__ = ["figures", "invitations", "moderation", "people", "sessions", "texts"]
