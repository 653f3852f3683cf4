"""What a plain delete would do now, and why."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "fate.hidden": "rules and ports of other projects, if there are any, cannot be seen",
    "fate.malformed": "no cloud accepts a malformed id",
    "fate.absent": "there is no such group for these credentials",
    "fate.foreign": "it belongs to another project",
    "fate.read-only": "these credentials may only read",
    "fate.carried": "something carries it",
    "fate.named": "rules of other groups name it",
    "fate.carried-and-named": "something carries it and rules of other groups name it",
    "fate.guarded": "{why}; {guard:60} keeps it",
    "fate.either": "{why}; {code:40} stands for either cause",
    "fate.uncoded": "{why}; no document names the error code",
    "fate.default": "it is a default group",
    "fate.managed": "a product of the cloud owns it",
    "fate.lost": {
        "one": "{n:of=rule} of {groups:of=group} silently vanish",
        "other": "{n:of=rule} of {groups:of=group} silently vanish",
    },
    "fate.lost-and-hidden": {
        "one": "{n:of=rule} of {groups:of=group} silently vanish; rules and ports of other "
        "projects, if there are any, cannot be seen",
        "other": "{n:of=rule} of {groups:of=group} silently vanish; rules and ports of other "
        "projects, if there are any, cannot be seen",
    },
    "fate.unseen": "not everything was seen ({what:60 kind})",
    "fate.managed-unknown": "no document says whether a group of another product can be deleted",
    "fate.undocumented": "no document says whether a group that is only referenced is refused or "
    "cascades",
    "fate.depends": "it depends on what happens to a group of this request that names it",
}
