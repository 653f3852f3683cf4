"""The lie detector: random clouds, the whole stack, and the emulator's own truth beside it.

A cloud is built from a seed (``clouds.py`` with what each provider has in ``kinds.py``), the real
stack is asked through :func:`sgguard.engine.decide.decide_delete` (``ask.py``), and the answer is
held against what exists in the emulator's state (``truth.py``). A lie is reduced to the smallest
cloud that still shows it (``shrink.py``) and printed with its seed.

Seeds instead of hypothesis: at 5,000 clouds a provider its bookkeeping costs more than the whole
decision, and a cloud is easier to shrink by removing groups than by removing drawn bytes.

``LIES_CLOUDS`` and ``LIES_SEED`` (environment) set how many clouds and which ones.
"""
