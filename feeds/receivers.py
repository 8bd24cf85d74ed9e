"""Listens to the lower apps; each receiver enqueues one job by id."""
