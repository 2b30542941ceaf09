"""Variables of the environment that look like settings and are none."""

from __future__ import annotations

import os
from collections.abc import Iterator

from callsvc.config import FILE_VARIABLE, Settings
from callsvc.doctor.finding import Finding, degraded


def ignored() -> Iterator[Finding]:
    """The ones that nothing reads, most often for want of the second underscore; no finding when there are none.

    They are no reason to refuse a start: Kubernetes sets such ones for every service that is called callsvc.
    """
    prefix, between = "CALLSVC_", "__"
    known = {f"{prefix}{name.upper()}" for name in Settings.model_fields} | {FILE_VARIABLE}
    unread = sorted(
        name for name in os.environ if name.startswith(prefix) and name.split(between)[0] not in known
    )
    if unread:
        yield degraded("environment", "ignored", names=", ".join(unread))
