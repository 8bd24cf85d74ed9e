"""Hypothesis without clocks and without chance, so that a red test stays red."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "deterministic",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.register_profile(
    "search", settings.get_profile("deterministic"), derandomize=False, print_blob=True
)
settings.load_profile("deterministic")
