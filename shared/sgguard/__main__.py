"""Lets ``python -m sgguard`` do what ``sgguard`` does."""

from sgguard.cli import main

main()
