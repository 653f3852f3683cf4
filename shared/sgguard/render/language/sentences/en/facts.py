"""What could not be seen, and groups that are not there."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "thing.project": "project",
    "thing.account": "account",
    "thing.cloud": "cloud",
    "thing.alibaba": "alibaba",
    "thing.huawei": "huawei",
    "thing.openstack": "openstack",
    "thing.tencent": "tencent",
    "thing.tencent-dfw": "tencent-dfw",
    "place.region": "{provider:kind} {region:30}",
    "group.malformed": "'{text:60}' is no group id of {provider:kind}: expected one like "
    "{example:60}.",
    "group.not-found": "No group {group:60} in {place:50}: it does not exist there, or these "
    "credentials cannot see it.",
    "gap.unasked": "The cloud could not be asked: {why:rest}",
    "gap.unseen": "{about}: {what:40 kind} could not be seen ({code:silent}{why:rest}).{then}",
    "gap.to-see-it": " To see it: {remedy:70}.",
    "gap.tolerated": " The policy tolerates it (tolerate_unseen: {code:30}).",
    "gap.visibility": "The policy requires visibility {required:kind} "
    "({guard}.require_visibility), but these credentials see one {visible:kind} only. To see more: "
    "{remedy}.",
}
