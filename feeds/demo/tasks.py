"""The demo's clips that nobody waits for: drawn, posted and reacted to by the worker."""

from feeds.demo import seeding
from feeds.demo.clips import CLIP_BY_NAME
from tiktok_clone.common import jobs
from videos.models import Status

# After the uploads of people, one clip at a time.
PRIORITY = -20
LOCK = "demo-clips"
LOOK_AGAIN_SECONDS = 10


@jobs.task(queue="default", priority=PRIORITY, lock=LOCK, retry=jobs.RETRY)
def post_demo_clip(name: str) -> None:
    """Draw and post a clip of the demo unless it is there."""
    clip = CLIP_BY_NAME[name]
    if seeding.find_clip(clip) is None:
        seeding.post_clip(clip)
    enqueue_reactions(name, LOOK_AGAIN_SECONDS)


@jobs.task(queue="default", priority=PRIORITY, lock=LOCK, retry=jobs.RETRY)
def react_to_demo_clip(name: str) -> None:
    """Like and comment a clip of the demo once it is ready; look again while it is not."""
    clip = CLIP_BY_NAME[name]
    video = seeding.find_clip(clip)
    if video is None or video.status in (Status.FAILED, Status.REJECTED):
        return
    if video.status == Status.READY:
        seeding.react_to(clip, video)
    else:
        enqueue_reactions(name, LOOK_AGAIN_SECONDS)


def enqueue_clip(name: str) -> None:
    """Have the worker post a clip."""
    jobs.enqueue(post_demo_clip, queueing_lock=f"demo-post-{name}", lock=LOCK, name=name)


def enqueue_reactions(name: str, delay: int | None = None) -> None:
    """Have the worker react to a clip."""
    jobs.enqueue(
        react_to_demo_clip, queueing_lock=f"demo-react-{name}", lock=LOCK, delay=delay, name=name
    )
