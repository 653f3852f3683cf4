"""Breaks each completeness rule in turn: ``python -m tests.mutation``."""
