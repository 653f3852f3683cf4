"""Remediation that dies, fails or is disturbed anywhere, and what the clouds look like afterwards.

The clouds live in the test's process, behind HTTP on loopback; the worker is a child that is
killed for good. ``plots`` says what is to be done, ``state`` what must hold at every moment,
``nursery`` and ``worker`` are the child, ``rig`` puts the two together.
"""
