"""The false-verdict search: random clouds, the whole stack, and the emulator's state to compare.

A cloud is built from a seed (``clouds.py`` with what each provider has in ``kinds.py``), the real
stack decides through :func:`sgguard.engine.decide.decide_delete` (``decide.py``); the decision is
compared with the emulator's state (``truth.py``). A false verdict is reduced to the smallest
cloud that still shows it (``shrink.py``) and printed with its seed.

Seeds instead of hypothesis: at 5,000 clouds a provider its bookkeeping costs more than the whole
decision, and a cloud is easier to shrink by removing groups than by removing drawn bytes.

``SEARCH_FACTOR`` and ``SEARCH_SEED`` (environment) set how many times as many clouds, and which.
"""
