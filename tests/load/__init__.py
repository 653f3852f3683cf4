"""Deployed functions under load, and across a restart or an upgrade: nothing wrong, lost, doubled.

``SGGUARD_LOAD_S`` is for how many seconds deliveries are sent: 30 in the suite, 600 for a soak
(``SGGUARD_LOAD_S=600 pytest -m slow tests/load/test_load.py``).
"""
