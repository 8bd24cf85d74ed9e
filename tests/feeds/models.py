"""Models of the recommender for tests: neighbours as they are stored, without any training."""

from collections.abc import Mapping

from feeds.models import ModelRun, Neighbours


def put_in_service(neighbours: Mapping[int, Mapping[int, float]]) -> ModelRun:
    """Have the recommender use these: by video, how much it speaks for others."""
    ModelRun.objects.filter(state=ModelRun.State.IN_SERVICE).update(state=ModelRun.State.KEPT)
    run = ModelRun.objects.create(state=ModelRun.State.IN_SERVICE)
    ordered = {
        item: sorted(near.items(), key=lambda pair: -pair[1]) for item, near in neighbours.items()
    }
    Neighbours.objects.bulk_create(
        Neighbours(
            run=run,
            item_id=item,
            neighbours=[pk for pk, _ in near],
            weights=[weight for _, weight in near],
            popularity=0,
        )
        for item, near in ordered.items()
    )
    return run
