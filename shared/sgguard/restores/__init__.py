"""Restores from chat: whether one is offered, the button or link that permits it, and its page.

What a restore does is an operation like any other (:mod:`sgguard.operations.restore`).
"""
