"""The worker process: takes jobs from the queue in PostgreSQL and runs them.

roots       which jobs there are, put together from the features
process     the process: database, queue, health, an orderly end
health      /healthz /readyz /metrics
command     `callsvc worker`
"""
