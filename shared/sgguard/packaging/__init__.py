"""Building what a platform runs: one function, what it needs, and nothing else.

:func:`~.build.build` has the steps in order. The same inputs give the same bytes: this package,
the versions that are installed beside it, the policy file, and the runtime's Python.
"""
