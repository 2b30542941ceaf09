"""A PostgreSQL of our own: found on this machine, made in the data directory, run as a child process.

binaries      where PostgreSQL's programs are
system_user   who it runs as, when we are root and it refuses to be
cluster       its files, its settings, its command line
ballast       the space that is given up when the disk is full
"""
