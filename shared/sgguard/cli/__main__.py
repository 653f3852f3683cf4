"""Lets ``python -m sgguard.cli`` do what ``sgguard`` does."""

from sgguard.cli import main

main()
