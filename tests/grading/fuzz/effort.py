"""How many examples to try: a few in every run of the tests, ``CNNLAB_FUZZ`` times as many in a campaign."""

import os

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("CNNLAB_FUZZ", "1"))


def examples(few):
    """Return settings for so many examples, times the effort."""
    return settings(deadline=None, max_examples=few * TIMES, suppress_health_check=list(HealthCheck))
