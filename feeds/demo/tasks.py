"""The demo's clips that nobody waits for: drawn, posted and reacted to by the worker."""

from feeds.demo import seeding
from feeds.demo.clips import CLIP_BY_NAME
from feeds.tasks import TRENDS, recompute_trends
from tiktok_clone.common import jobs

# After the uploads of people, and one clip drawn at a time.
PRIORITY = -20
LOCK = "demo-clips"
LOOK_AGAIN_SECONDS = 5


@jobs.task(queue="default", priority=PRIORITY, lock=LOCK, retry=jobs.RETRY)
def post_demo_clip(name: str) -> None:
    """Draw and post a clip of the demo unless it is there."""
    clip = CLIP_BY_NAME[name]
    if clip in seeding.missing_clips():
        seeding.post_clip(clip)
    enqueue_reactions(name, LOOK_AGAIN_SECONDS)


@jobs.task(queue="default", priority=PRIORITY, retry=jobs.RETRY)
def react_to_demo_clip(name: str) -> None:
    """Like and comment a clip of the demo once it is ready; look again while it is not."""
    if not seeding.react_to(name):
        enqueue_reactions(name, LOOK_AGAIN_SECONDS)
    else:  # at once, so that the first look at Explore shows something
        jobs.enqueue(recompute_trends, lock=TRENDS, queueing_lock=TRENDS, timestamp=0)
        if not seeding.clips_without_reactions():
            seeding.train()


def enqueue_clip(name: str) -> None:
    """Have the worker post a clip."""
    jobs.enqueue(post_demo_clip, queueing_lock=f"demo-post-{name}", lock=LOCK, name=name)


def enqueue_reactions(name: str, delay: int | None = None) -> None:
    """Have the worker react to a clip.

    Without a lock: a job that waits for its time would hold up all others with the same one.
    """
    jobs.enqueue(react_to_demo_clip, queueing_lock=f"demo-react-{name}", delay=delay, name=name)
