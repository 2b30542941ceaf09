"""What is missing, wrong or degraded on this machine, and what to do about it.

    finding     one thing that was looked at, and how it stands
    machine     Python, disk, scheduling, the clock
    service     settings, data directory, ports, database, broker
    parts       suppressor, recogniser, screens, sound devices
    trunks      SIP, Asterisk
    sign_in     the organisation's provider
    command     `callsvc doctor`

Looking changes nothing: no file is written, no directory is made, nothing stays bound.
"""

from callsvc.doctor.finding import Finding, State

__all__ = ["Finding", "State"]
