"""The signs of a request to an OpenStack: its tokens and users, and the paths of its services.

Other services than the emulated ones are claimed by the header of a token, last of all.
"""

from __future__ import annotations

from sgguard.emulator.faces._openstack.discovery import IDENTITY_WORDS
from sgguard.emulator.faces._openstack.keystone import TOKEN_HEADER
from sgguard.emulator.faces.base import Certainty, Claim

_REGION = r"(/r/[^/]+)?"

CLAIMS = (
    Claim(
        Certainty.PATH,
        path="/",
        methods=frozenset({"GET", "HEAD"}),
        without=frozenset({"Action", "Version"}),
    ),
    Claim(Certainty.PATH, path=rf"{_REGION}/(identity|networking|compute)(/.*)?"),
    # A project and the rest of a path are another API's.
    Claim(Certainty.PATH, path=rf"{_REGION}/v3(?!/(?!({IDENTITY_WORDS})/)[^/]+/.+)(/.*)?"),
    Claim(Certainty.PATH, path=rf"{_REGION}/v2\.0(/.*)?"),
    Claim(Certainty.PATH, path=rf"{_REGION}/v2(\.1)?(?!/index\.php$)(/.*)?"),
    Claim(Certainty.SHARED, headers={TOKEN_HEADER: ""}),
)
