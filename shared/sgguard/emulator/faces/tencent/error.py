"""The error with which a call to the emulated API 3.0 is refused."""

from __future__ import annotations


class RefusedError(Exception):
    """An error as API 3.0 reports it, inside a response with HTTP 200."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.message = message or code
