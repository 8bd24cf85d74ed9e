"""Models of the recommender for tests: neighbours as they are stored, without any training."""

from collections.abc import Mapping

from feeds.models import ModelRun, Neighbours


def put_in_service(neighbours: Mapping[int, Mapping[int, float]]) -> ModelRun:
    """Have the recommender use these: by video, how much it speaks for others."""
    ModelRun.objects.filter(state=ModelRun.State.IN_SERVICE).update(state=ModelRun.State.KEPT)
    run = ModelRun.objects.create(state=ModelRun.State.IN_SERVICE)
    for item, near in neighbours.items():
        ordered = sorted(near.items(), key=lambda pair: -pair[1])
        Neighbours.objects.create(
            run=run,
            item_id=item,
            neighbours=[pk for pk, _ in ordered],
            weights=[weight for _, weight in ordered],
            popularity=0,
        )
    return run
