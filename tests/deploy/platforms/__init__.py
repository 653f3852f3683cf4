"""Stand-ins for what a page of ``deploy/`` uses and no test can have: platforms and their tools.

Each is a program of that name in a fresh root (``python -m tests.deploy.platforms NAME …``). It
refuses every word that the real one does not know, keeps what was deployed, and starts the packaged
artifact as its platform does. The clouds that an artifact asks are the emulator.
"""
