"""How many examples a law test takes: few in every run, ten times as many with --hypothesis-profile=thorough."""

from hypothesis import HealthCheck, settings

__all__ = ["law_settings"]


def law_settings(examples: int) -> settings:
    """For `examples` a run, in proportion to the profile's. An example may wait for threads and for the disk."""
    return settings(
        max_examples=max(1, examples * settings().max_examples // 100),
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
