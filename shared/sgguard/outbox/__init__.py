"""The outbox: who is told of a change of a decision, and the delivery of what is to be told.

:mod:`~sgguard.outbox.what` turns a change into notices, which the store writes in the transaction
of the change. :mod:`~sgguard.outbox.deliver` takes those that are due and gives each to the sender
of its kind (:mod:`~sgguard.outbox.senders`).
"""
