"""What a Chinese text may have that is not Chinese: names, ids, codes, calls and products."""

from __future__ import annotations

import re
from datetime import UTC

from sgguard.render.language.words import Words

CHINESE = Words("zh", UTC)
WORD = re.compile(r"[A-Za-z]{2,}")
CODE = re.compile(
    r"https?://\S+|\b(?:GET|POST|PUT) \S+|sgguard(?: [a-z]+)+|[A-Z][a-z]+[A-Z]\w*|\b[a-z]+[A-Z]\w*"
    r"|\b[A-Z]{2,}\b|\w+\.[\w.…]+|\w+…|\b\w+_\w+|[\w-]*\d[\w-]*|“[^”]*”"
)
"""What is no word of a language: calls, codes, settings, ids, and what people wrote themselves."""

TERMS = frozenset(
    # The requester, products, protocols and states, as the clouds' own Chinese pages have them.
    {
        "grace",
        "sgguard",
        "Instances",
        "tcp",
        "udp",
        "icmp",
        "any",
        "Neutron",
        "Nova",
        "Octavia",
        "Heat",
        "Magnum",
    }
    | {"Senlin", "Trove", "Redis", "Running", "Stopped", "reader"}
)
