from __future__ import annotations

import pytest

from tests.support.long_call import long_call

pytestmark = pytest.mark.call


async def test_two_parties_with_wrong_clocks_stay_in_step_and_every_gap_is_listed() -> None:
    """The drift of an hour at 100 ppm in six minutes; the hour itself is benchmarks.media_hour."""
    outcome = await long_call(6.0, ppm=(1000.0, -1000.0), loss=0.03)

    assert outcome.whole
    assert len(outcome.skews_ms) > 8
    assert max(abs(skew) for skew in outcome.skews_ms) <= 10
    for track, lost in outcome.lost.items():
        assert outcome.listed[track] == pytest.approx(lost, rel=0.02, abs=4), track
    assert outcome.masked_s == pytest.approx(60, abs=0.1)
    assert outcome.held_s == pytest.approx(60, abs=0.1)
