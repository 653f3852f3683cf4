"""Signatures that stand in the form of a POST, beside what is signed."""

from __future__ import annotations

import httpx

FORM = "application/x-www-form-urlencoded"


class FormAuth(httpx.Auth):
    """An authentication that can sign a form before a request is made of it.

    By :meth:`auth_flow` alone each request with a form would be made twice.
    """

    def signed_form(self, url: httpx.URL, form: bytes) -> bytes:
        """Return the form of a POST to an address with everything that authenticates it."""
        raise NotImplementedError
