"""Measurements, never tests: ratios from one run on real PostgreSQL. `make bench` runs them."""
