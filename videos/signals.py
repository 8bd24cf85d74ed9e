"""News of this app. Each is sent inside the transaction that makes it true.

Receivers enqueue a job by id, drop a cache on commit, or write rows that must be true with it
(a person's affinity to a video); nothing slow, since the video is locked.
"""

from django.dispatch import Signal

# video (Video)
video_published = Signal()
video_edited = Signal()
video_hidden = Signal()
video_shown = Signal()
video_deleted = Signal()
# video: other people than before may see it, more of them or fewer
video_audience_changed = Signal()
# video: it is playable, whoever may see it; or is not, and its `reason` says why
video_ready = Signal()
video_failed = Signal()

# user (User), video (Video)
video_liked = Signal()
video_unliked = Signal()
video_saved = Signal()
video_unsaved = Signal()
video_shared = Signal()
video_reported = Signal()

# comment (Comment), video (Video), user (User who did it); comment_deleted also ids (list of
# the comment and its replies). What waits for approval is held first, and added when it is
# approved; the user is its author then too, as of what is hidden and shown again.
comment_held = Signal()
comment_added = Signal()
comment_hidden = Signal()
comment_shown = Signal()
comment_deleted = Signal()
# pairs (list of person id, video id): comments that are no more, whoever removed them, or all
# that a person did to a video; the videos are locked
acts_gone = Signal()

# ids (list of comments): they are about to be deleted, whoever does it; before the cascade
comments_deleting = Signal()

# user (User), comment (Comment)
comment_liked = Signal()
comment_unliked = Signal()
# user_id, comment_ids (list): these likes went with all that the person did
comment_likes_gone = Signal()
