"""Settings every test shares."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Machines are shared and slow at times: a deadline would make tests fail by the clock.
settings.register_profile(
    "crossrank",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    derandomize=True,
)
settings.load_profile("crossrank")
