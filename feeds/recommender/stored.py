"""Models in the database: an array of neighbours for each video, and which model is in service."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.utils import timezone
from numpy.typing import NDArray
from scipy import sparse

from feeds.models import ModelRun, Neighbours
from feeds.recommender.model import Model, Parameters

# How long the figures of trainings stay whose models are gone.
FIGURES_KEPT = timedelta(days=365)
KEPT, IN_SERVICE = ModelRun.State.KEPT, ModelRun.State.IN_SERVICE
_COPY = "COPY feeds_neighbours (run_id, item_id, neighbours, weights, popularity) FROM STDIN"


def put_in_service(run: ModelRun, model: Model) -> None:
    """Write a model and have it take over, all at once; of those before, the last one stays."""
    with transaction.atomic():
        _write(run, model)
        Neighbours.objects.filter(run__state=KEPT).delete()
        ModelRun.objects.filter(state=KEPT).update(state=ModelRun.State.RETIRED)
        ModelRun.objects.filter(state=IN_SERVICE).update(state=KEPT)
        ModelRun.objects.over().filter(created_at__lt=timezone.now() - FIGURES_KEPT).delete()
        run.finish(IN_SERVICE)


def load(run: ModelRun, items: Sequence[Any], sources: NDArray[np.int32]) -> Model:
    """Return a stored model in terms of other items, leaving out those that are not among them.

    Args:
        items: ids of videos, whose places are the rows and columns.
        sources: places of the items whose neighbours are wanted; the rows of others stay empty.
    """
    places = {item: place for place, item in enumerate(items)}
    popularity = np.zeros(len(items), np.float32)
    for item, much in run.neighbours.values_list("item_id", "popularity").iterator():
        if item in places:
            popularity[places[item]] = much
    wanted = [items[place] for place in sources]
    held = run.neighbours.filter(item__in=wanted).values_list("item_id", "neighbours", "weights")
    entries = [
        (places[item], places[near], weight)
        for item, neighbours, weights in held.iterator()
        for near, weight in zip(neighbours, weights, strict=True)
        if near in places
    ]
    row, column, weight = zip(*entries, strict=True) if entries else ((), (), ())
    found = sparse.csr_array(
        (np.array(weight, np.float32), (np.array(row, np.int32), np.array(column, np.int32))),
        (len(items),) * 2,
    )
    return Model(items, found, popularity, Parameters.from_json(run.parameters))


def _write(run: ModelRun, model: Model) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for item, neighbours, weights, popularity in _rows(model):
            copy.write(f"{run.pk}\t{item}\t{{{neighbours}}}\t{{{weights}}}\t{popularity:.8g}\n")


def _rows(model: Model) -> Iterator[tuple[int, str, str, float]]:
    """Yield each item, the likeliest of its neighbours first, with the weights of these."""
    near = model.neighbours
    ids = np.asarray(model.items)
    for place, (start, end) in enumerate(pairwise(near.indptr)):
        columns, weights = near.indices[start:end], near.data[start:end]
        order = np.lexsort((columns, -weights))
        yield (
            int(ids[place]),
            ",".join(map(str, ids[columns[order]].tolist())),
            ",".join(map("{:.8g}".format, weights[order].tolist())),
            float(model.popularity[place]),
        )
