"""Deployed functions under load, and across a restart or an upgrade: nothing wrong, lost, doubled.

``SGGUARD_LOAD_S`` is for how many seconds deliveries are sent: ten minutes without it, in which
memory and descriptors are compared as well. ``make slow`` begins with it, beside all others; for a
look, ``SGGUARD_LOAD_S=30 pytest -m slow tests/load/test_load.py``.
"""
