"""`callsvc serve`: the whole service on one machine, each part a process of its own, all of them looked after.

    plan         which parts there are, on which ports, with which environment
    ports        are they free
    probe        does a part answer
    part         one part: start it, wait until it is ready, start it again when it dies
    database     the embedded PostgreSQL as a part
    supervisor   all of them: order of start, ports.json, first administrator, clean end
    command      the command line

The media node needs none of the others: it is started first, never waits, and is never stopped because another part
is in trouble.
"""
