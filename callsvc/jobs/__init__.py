"""The job queue in PostgreSQL: jobs that become true with the row they serve, and outlive the worker that took them.

job         what a feature declares: a name and an async function
queue       defer a job in the caller's transaction; ask what became of it
schema      the queue's own tables, beside the store's migrations
runner      takes jobs and runs them, until told to stop
sweeper     gives back the jobs of workers that died
"""

from callsvc.jobs.job import Job, Work
from callsvc.jobs.queue import defer
from callsvc.jobs.schema import prepare, prepared

__all__ = ["Job", "Work", "defer", "prepare", "prepared"]
