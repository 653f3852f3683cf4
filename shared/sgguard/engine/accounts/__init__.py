"""Further accounts that one deployment guards: which there are, and the credentials of each.

The account of an address picks the credentials: those of the environment for the configured
account (or an empty one), those of its entry for every other, and none for an account that is not
named. Nothing is ever read with the credentials of another account.
"""
