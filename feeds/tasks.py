"""What the worker does for the feed engine."""

import logging

from accounts.models import User
from feeds import affinity, bells, compaction, export, fanout, notifications, trending, writeback
from feeds.models import Notification
from feeds.recommender import training
from feeds.recommender.sessions import forget_old_sessions
from feeds.seeds import forget_old_snapshots
from tiktok_clone.common import jobs

log = logging.getLogger(__name__)

TRENDS = "recompute_trends"
# About an hour after a delivery has failed for good, its readers' lists are made anew.
FAN_OUT_ATTEMPTS = 14


@jobs.periodic(cron="*/10 * * * *")
@jobs.task(queueing_lock="forget_old_seeds")
def forget_old_seeds(timestamp: int) -> None:
    """Delete the snapshots of integer seeds, and the orders, that nobody may continue any more."""
    forget_old_snapshots()
    forget_old_sessions()


@jobs.periodic(cron="*/5 * * * *")
@jobs.task(queueing_lock=TRENDS, lock=TRENDS)
def recompute_trends(timestamp: int) -> None:
    """Bring the trends of videos and hashtags up to date."""
    trending.recompute()


@jobs.periodic(cron="* * * * *")
@jobs.task(queueing_lock="write_views")
def write_views(timestamp: int) -> None:
    """Add to the clips what was counted of views and has not been written since."""
    writeback.flush()


@jobs.periodic(cron="11 * * * *")
@jobs.task(queue="default", queueing_lock="train_recommender")
def train_recommender(timestamp: int) -> None:
    """Learn from what people did since the last time; the next hour makes up for a failure."""
    try:
        run = training.learn()
    except training.BusyError as reason:
        log.info("%s", reason)
        return
    if run is not None:
        log.info("%s: %s %s", run, run.get_state_display(), run.reason)


@jobs.task(queue="default", retry=jobs.RETRY)
def fan_out(video_id: int, after: int = 0) -> None:
    """Bring a publication to the timelines of the followers, some thousands a job."""
    reached = fanout.deliver(video_id, after)
    if reached is not None:
        jobs.enqueue(fan_out, video_id=video_id, after=reached)


@jobs.periodic(cron="*/10 * * * *")
@jobs.task(queueing_lock="revive_fan_outs", retry=jobs.RETRY)
def revive_fan_outs(timestamp: int) -> None:
    """Deliver what a job failed to, or was lost with; readers carry each of these along."""
    hopeless = []
    held = jobs.not_done(fan_out, "video_id")
    for video_id in fanout.undelivered():
        job = held.get(video_id)
        if job is None:
            jobs.enqueue(fan_out, video_id=video_id)
        elif job.status == "failed" and job.attempts < FAN_OUT_ATTEMPTS:
            jobs.run_again(job)
        elif job.status == "failed":
            hopeless.append(video_id)
    fanout.give_up(hopeless)


@jobs.task(queue="default", retry=jobs.RETRY)
def ring_bells(video_id: int, after: int = 0) -> None:
    """Tell those of a publication who switched its author's bell on, some thousands a job."""
    reached = bells.ring(video_id, after)
    if reached is not None:
        jobs.enqueue(ring_bells, video_id=video_id, after=reached)


@jobs.task(retry=jobs.RETRY)
def forget_told(column: str, ids: list[int]) -> None:
    """Delete what people were told of something that is gone, some in each job.

    Args:
        column: `video` or `comment`, whose ids these are.
    """
    if notifications.delete_some(Notification.objects.filter(**{f"{column}__in": ids})):
        jobs.enqueue(forget_told, column=column, ids=ids)


@jobs.periodic(cron="43 4 * * *")
@jobs.task(queueing_lock="prune_notifications", retry=jobs.RETRY)
def prune_notifications(timestamp: int) -> None:
    """Delete what people were told of half a year ago, some in each job."""
    if notifications.prune():
        jobs.enqueue(prune_notifications, queueing_lock="prune_notifications", timestamp=timestamp)


@jobs.periodic(cron="37 * * * *")
@jobs.task(queueing_lock="compact_slots")
def compact_slots(timestamp: int) -> None:
    """Give the shuffle places without holes when there are too many of them."""
    try:
        log.info("%s", compaction.compact())
    except compaction.NotNowError as reason:
        log.debug("not compacted: %s", reason)


@jobs.task(retry=jobs.RETRY)
def settle_forgotten(user_id: int) -> None:
    """Recompute what somebody cares for: their history was cleared, or they may be profiled."""
    if User.objects.filter(pk=user_id).exists():
        affinity.rebuild(user_id)


@jobs.task(queue="default", retry=jobs.RETRY)
def make_export(export_id: int) -> None:
    """Write the copy that somebody asked for of all that they have here."""
    export.make(export_id)


@jobs.periodic(cron="53 * * * *")
@jobs.task(queueing_lock="forget_old_exports", retry=jobs.RETRY)
def forget_old_exports(timestamp: int) -> None:
    """Delete copies that were made a week ago."""
    export.drop_old()
