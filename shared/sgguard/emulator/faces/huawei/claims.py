"""The signs of a request to Huawei Cloud or Open Telekom Cloud, of any of its services.

Paths name the project, except those of IAM, Neutron and some global services. Keystone, Neutron and
Nova have the same paths in every OpenStack: there a token, a user or a project tells whose it is.
"""

from __future__ import annotations

import httpx

from sgguard.emulator.faces._openstack import keystone
from sgguard.emulator.faces._openstack.discovery import IDENTITY_WORDS
from sgguard.emulator.faces.base import Certainty, Claim
from sgguard.emulator.state import Cloud

CLAIMS = (
    Claim(
        Certainty.HOST,
        host=r"(.+\.)?(myhuaweicloud\.(com|eu|cn)|otc\.t-systems\.com)",
    ),
    Claim(Certainty.SIGNED, headers={"authorization": "SDK-|V11-HMAC-SHA256|OBS "}),
    Claim(
        Certainty.HEADER,
        headers={"x-sdk-date": ""},
        without=frozenset(
            {"x-tc-action", "x-tc-version"}
            | {f"x-acs-{name}" for name in ("action", "version", "signature-nonce")}
        ),
    ),
    Claim(Certainty.PATH, path=rf"/v3/(?!({IDENTITY_WORDS})/)[^/]+/.+"),
    Claim(Certainty.PATH, path=r"/v(1|1\.\d|3\.\d|4|5)(/.*)?"),
    Claim(Certainty.SHARED, path=r"(/identity)?/v3(/.*)?|/v2\.0(/.*)?"),
    Claim(Certainty.SHARED, path=r"/v2(\.1)?(?!/index\.php$)(/.*)?"),
)


def known(request: httpx.Request, cloud: Cloud) -> Certainty:
    """Return how certain the cloud's tokens, users and projects make it."""
    if keystone.has_token(request, cloud):
        return Certainty.TOKEN
    projects = {project for account in cloud.accounts for project in account.projects}
    # An OpenStack with the same user or project is meant: it has nothing but tokens to be told by.
    if keystone.has_user(request, cloud) or not projects.isdisjoint(request.url.path.split("/")):
        return Certainty.PARAMS
    return Certainty.NONE
