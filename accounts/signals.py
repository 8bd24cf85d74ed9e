"""News from accounts, sent inside the transaction that made it.

Receivers of upper apps only enqueue jobs by id, or write rows that must be in the
same transaction (tombstones of media).
"""

from django.dispatch import Signal

# user
user_signed_up = Signal()
# user, changed: frozenset of field names (name, handle, bio, avatar, is_private, …)
user_changed = Signal()

# follower_id, followee_id
user_followed = Signal()
user_unfollowed = Signal()
# requester_id, target_id; gone: answered either way, taken back, or made void; accepted also
# as_public (bool): nobody said yes, the account is private no more
follow_requested = Signal()
follow_request_accepted = Signal()
follow_request_gone = Signal()
# one_id, other_id: a friendship began or ended
user_befriended = Signal()
user_unfriended = Signal()
# blocker_id, blocked_id
user_blocked = Signal()
user_unblocked = Signal()
# muter_id, muted_id
user_muted = Signal()
user_unmuted = Signal()
# user_id: the words and hashtags that they mute are others than before
muted_words_changed = Signal()

# user_ids: one or more of their sessions ended
sessions_ended = Signal()

# decision: of a moderator, about its person
decision_made = Signal()
# decision: it was taken back, or its appeal was answered
decision_settled = Signal()

# user: hidden from now on; the purge follows as a job
user_deleting = Signal()
# user: in the transaction that removes the row, before the cascade. Whoever counts
# rows that this person made corrects the counts here.
user_purging = Signal()
