"""The media node: a process of its own that needs nobody else to keep a call going.

command     `callsvc media`
node        puts calls, suppressor, recorder and outbox together, and takes them apart again
http        /whip, /healthz, /readyz, /metrics
door        nobody who only stands in it keeps others out
loop        its event loop: takes together what comes within a millisecond
realtime    what the machine allows a process that must not be late
"""
