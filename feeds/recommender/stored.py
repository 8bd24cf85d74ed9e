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
CHUNK = 500
_POPULARITY = np.dtype([("item", "i8"), ("popularity", "f4")])
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
        items: ids of videos, ascending, whose places are the rows and columns.
        sources: places of the items whose neighbours are wanted; the rows of others stay empty.
    """
    ids = np.asarray(items, np.int64)
    columns, weights = [np.empty(0, np.int32)], [np.empty(0, np.float32)]
    lengths = np.zeros(len(ids), np.int64)
    held = run.neighbours.filter(item__in=ids[sources].tolist()).order_by("item_id")
    rows = held.values_list("item_id", "neighbours", "weights")
    # Millions of numbers: they become arrays row by row, never all of them Python's own.
    for item, near, much in rows.iterator(CHUNK):
        places, known = _places(ids, np.array(near, np.int64))
        columns.append(places)
        weights.append(np.array(much, np.float32)[known])
        lengths[np.searchsorted(ids, item)] = len(places)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    entries = (np.concatenate(weights), np.concatenate(columns), ends)
    found = sparse.csr_array(entries, (len(ids),) * 2)
    return Model(items, found, _popularity(run, ids), Parameters.from_json(run.parameters))


def _popularity(run: ModelRun, ids: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return what is stored of each item, 0 where nothing is."""
    held = np.fromiter(run.neighbours.values_list("item_id", "popularity").iterator(), _POPULARITY)
    places, known = _places(ids, held["item"])
    popularity = np.zeros(len(ids), np.float32)
    popularity[places] = held["popularity"][known]
    return popularity


def _places(
    ids: NDArray[np.int64], wanted: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Return the places of those that are among the ids, and which these are."""
    places = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1).astype(np.int32)
    known = ids[places] == wanted
    return places[known], known


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
