"""Trainings of the recommender, and the model that came of each."""

from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from tiktok_clone.common.models import Timestamped


class ModelRunQuerySet(models.QuerySet["ModelRun"]):
    """Trainings, by what became of them."""

    def in_service(self) -> "ModelRun | None":
        """Return the one whose model recommends now; None until there is one."""
        return self.filter(state=ModelRun.State.IN_SERVICE).first()

    def over(self) -> Self:
        """Return those whose model is not there any more, or never was."""
        states = [ModelRun.State.RETIRED, ModelRun.State.REFUSED, ModelRun.State.FAILED]
        return self.filter(state__in=states)


class ModelRun(Timestamped):
    """One training of the recommender, and what became of its model."""

    class State(models.TextChoices):
        RUNNING = "running"
        IN_SERVICE = "in_service"
        KEPT = "kept"  # the one before
        RETIRED = "retired"  # its model is deleted, its figures stay
        REFUSED = "refused"
        FAILED = "failed"

    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    reason = models.TextField(blank=True, help_text="Why it was refused, or failed.")
    parameters = models.JSONField(default=dict)
    metrics = models.JSONField(default=dict, help_text="On what was held out of training.")
    digest = models.CharField(max_length=64, blank=True, help_text="Of all that it learnt from.")
    learnt_until = models.DateTimeField(null=True, help_text="The latest act it learnt from.")
    rows = models.PositiveBigIntegerField(default=0)
    people = models.PositiveBigIntegerField(default=0)
    items = models.PositiveBigIntegerField(default=0)
    cpu_seconds = models.FloatField(default=0)
    peak_bytes = models.BigIntegerField(default=0, help_text="Memory of the process at most.")
    finished_at = models.DateTimeField(null=True)

    objects = ModelRunQuerySet.as_manager()

    class Meta:
        verbose_name = "training"
        constraints = [
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state="in_service"),
                name="one_model_in_service",
            )
        ]
        indexes = [models.Index(fields=["created_at"], name="model_run_by_age")]

    def __str__(self) -> str:
        return f"training {self.pk}"

    @property
    def ndcg(self) -> float | None:
        """NDCG@20 on what was held out."""
        return self._ndcg("ours")

    @property
    def popularity_ndcg(self) -> float | None:
        """The same of recommending to everybody what is popular."""
        return self._ndcg("popularity")

    def _ndcg(self, row: str) -> float | None:
        figures = self.metrics.get(row)
        return figures["ndcg"]["20"] if figures else None

    def finish(self, state: "ModelRun.State", reason: str = "") -> None:
        """Write what became of it."""
        self.state, self.reason, self.finished_at = state, reason, timezone.now()
        self.save()


class RealField(models.FloatField):
    """A float of four bytes; as exact as what is trained."""

    def db_type(self, connection: Any) -> str:
        """Return PostgreSQL's name for it."""
        return "real"


class Neighbours(models.Model):
    """Where walks from a video end, by one model: the likeliest first."""

    run = models.ForeignKey(ModelRun, models.CASCADE, related_name="neighbours")
    # No constraint: a video that is deleted while tens of thousands of these are written must not
    # undo them. Readers look its ids up among the videos anyway.
    item = models.ForeignKey(
        "videos.Video",
        models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    neighbours = ArrayField(models.BigIntegerField())
    weights = ArrayField(RealField())
    popularity = RealField(default=0)

    class Meta:
        verbose_name_plural = "neighbours"
        constraints = [models.UniqueConstraint(fields=["run", "item"], name="neighbours_once")]

    def __str__(self) -> str:
        return f"neighbours of video {self.item_id}"
