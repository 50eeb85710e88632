"""The sensor's time stamp, in whichever clock it is."""

import pytest

from edge_vision.camera.pi_request import exposed_ns

DAY_NS = 86_400 * 10**9


@pytest.mark.parametrize(
    ("stamp_ns", "suspended_ns", "found_ns"),
    [
        (10**12 - 20_000_000, 0, 10**12 - 20_000_000),
        (10**12 - 20_000_000 + DAY_NS, DAY_NS, 10**12 - 20_000_000),  # CLOCK_BOOTTIME
        (10**12 - 20_000_000, DAY_NS, 10**12 - 20_000_000),  # CLOCK_MONOTONIC
        (10**12 + 1, 0, None),  # in the future
        (10**12 - 2 * 10**9, 0, None),  # too old
        (1_700_000_000 * 10**9, 0, None),  # the time of day
        (0, 0, None),
        (None, 0, None),
    ],
)
def test_the_sensor_s_stamp_in_our_clock(stamp_ns, suspended_ns, found_ns):
    now_ns = 10**12
    assert exposed_ns(stamp_ns, now_ns, now_ns + suspended_ns) == found_ns
