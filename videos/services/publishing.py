"""Placeholder until the publishing services land; the API calls these two."""

from accounts.models import User


def edit_video(
    user: User, video_id: int, *, caption: str | None = None, visibility: str | None = None
) -> None:
    """Change one's own video; None leaves a part as it is."""
    raise NotImplementedError


def delete_video(user: User, video_id: int) -> None:
    """Delete one's own video."""
    raise NotImplementedError
