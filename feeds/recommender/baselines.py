"""What a model has to beat: popularity, and the nearest neighbours of items."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import norm

from feeds.recommender.interactions import Interactions, matrix, positives
from feeds.recommender.model import Model, Parameters, popularity
from feeds.recommender.pruning import top_product


def popular(rows: Interactions) -> Model:
    """Return a model by which everybody gets what is most popular."""
    liked = positives(matrix(rows))
    nothing = sparse.csr_array((liked.shape[1],) * 2, dtype=np.float32)
    return Model(rows.items, nothing, popularity(liked), Parameters())


def item_knn(rows: Interactions, k: int = 100) -> Model:
    """Return a model by cosine of items' columns, weighted by TF-IDF, keeping k neighbours."""
    liked = positives(matrix(rows))
    holders = np.diff(liked.tocsc().indptr)
    rarity = np.log((1 + liked.shape[0]) / (1 + holders))
    weighted = _unit_rows(sparse.csr_array(sparse.diags_array(rarity) @ liked.T))
    return Model(
        rows.items,
        top_product(weighted, sparse.csr_array(weighted.T), k).astype(np.float32),
        popularity(liked),
        Parameters(),
    )


def _unit_rows(rows: sparse.csr_array) -> sparse.csr_array:
    lengths = norm(rows, axis=1)
    return sparse.csr_array(sparse.diags_array(1 / np.maximum(lengths, 1e-12)) @ rows)
