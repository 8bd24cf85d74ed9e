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
    """Return a model by cosine of items, weighted by TF-IDF, keeping k neighbours of each.

    The weights are those of `TFIDFRecommender` of the package implicit 0.7: items are documents,
    and users their terms, so somebody who likes everything says little about anything. The k
    neighbours are kept for the items that are recommended, not for those that were liked, as in
    the comparisons of Ferrari Dacrema et al. (RecSys 2019); the other way round is much worse.
    """
    liked = positives(matrix(rows))
    rarity = np.log(max(liked.shape[1], 1)) - np.log1p(np.diff(liked.indptr))
    documents = _unit_rows(sparse.csr_array(np.sqrt(liked).T @ sparse.diags_array(rarity)))
    nearest = top_product(documents, sparse.csr_array(documents.T), k).astype(np.float32)
    return Model(rows.items, sparse.csr_array(nearest.T), popularity(liked), Parameters())


def _unit_rows(rows: sparse.csr_array) -> sparse.csr_array:
    lengths = norm(rows, axis=1)
    return sparse.csr_array(sparse.diags_array(1 / np.maximum(lengths, 1e-12)) @ rows)
