"""What each markup of a channel would turn into more than text: readers written for tests."""

from __future__ import annotations

import re

LINKS = {
    "plain": re.compile(r"(?!)"),
    # A mention, a link or a date begins with an angle bracket that is not escaped.
    "mrkdwn": re.compile(r"<[^>]*>|&(?!amp;|lt;|gt;)"),
    # A link, an image, a tag, an address, emphasis, code; of lines, only what we wrote begins one.
    "markdown": re.compile(
        r"\]\(|<[^>]*>|://|\*\*?[^*\s]|`|~~|(?<![^\W_])_[^_]+_(?![^\W_])"
        r"|(?m:^\s*(?:>|#(?!## )|[-+] ))"
    ),
    "wecom": re.compile(r"<[^>]*>|://"),
}


def beyond_text(kind: str, text: str) -> list[str]:
    """Return everything in a text that its markup would not show as it is."""
    return LINKS[kind].findall(text)
