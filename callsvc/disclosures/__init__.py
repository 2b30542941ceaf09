"""Handing out to somebody outside: on which ground, exactly what leaves, and that it was done or refused.

bases    the legal bases and what each asks, as data: bases.toml
record   decisions, granted and refused
bundles  the signed copies that are made of them
"""
