"""Tests: sentences about behaviour, in folders that mirror the packages."""
