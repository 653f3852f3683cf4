"""Crashes, faults and concurrent edits at any point of a remediation, and the state they leave.

The clouds live in the test's process, behind HTTP on loopback; the worker is a child that is
killed with SIGKILL. ``scenarios`` says what is done, ``comparison`` what must hold at any moment,
``worker_pool`` and ``worker`` are the child, ``harness`` joins the two.
"""
