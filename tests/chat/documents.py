"""Decision documents of many sizes: short, long, and with the names that clouds permit."""

from __future__ import annotations

import copy
from typing import Any

Json = dict[str, Any]

GROUP = "tencent::ap-guangzhou:sg-b4st10n0"
DECISION, APPROVAL = "5f0c8e716a2b4d0f9c3e1a7b8d6f2e40", "a1b2c3d4e5f60718293a4b5c6d7e8f90"


def reference(number: int, name: str) -> Json:
    return {
        "target": GROUP,
        "group_id": f"sg-{number:08d}",
        "group_name": name,
        "account": "",
        "project": "0",
        "rule": {
            "rule_id": f"ingress[{number}]",
            "direction": "ingress",
            "protocol": "tcp",
            "ports": "22",
            "peer_group": "sg-b4st10n0",
            "peer": "",
            "action": "accept",
            "priority": None,
            "description": "operators",
            "is_enabled": True,
        },
        "tags": [],
    }


def revoke(one: Json) -> Json:
    rule = one["rule"]
    names = ("rule_id", "direction", "protocol", "ports", "peer_group")
    return {
        "action": "revoke",
        "target": f"tencent::ap-guangzhou:{one['group_id']}",
        "summary": f"revoke rule {rule['rule_id']} of {one['group_id']}",
        "details": {name: rule[name] for name in names},
        "inverse": None,
    }


def document(references: int = 2, name: str = "bastion", referrer: str = "shop-app") -> Json:
    """A delete that waits for an approval: its group is named by so many rules."""
    found = [
        reference(n, f"{referrer}-{n}" if references > 2 else referrer) for n in range(references)
    ]
    evidence = [
        {"type": "reference", **{k: v for k, v in r.items() if k != "target"}} for r in found
    ]
    plan = [revoke(one) for one in found]
    plan.append(
        {
            "action": "delete",
            "target": GROUP,
            "summary": "delete sg-b4st10n0",
            "details": {},
            "inverse": None,
        }
    )
    group = {
        "address": GROUP,
        "exists": True,
        "is_malformed": False,
        "instance_count": None,
        "group_id": "sg-b4st10n0",
        "name": name,
        "description": "",
        "project": "0",
        "network": "",
        "kind": "",
        "is_default": False,
        "managed_by": "",
        "is_shared": False,
        "tags": [],
    }
    return {
        "decision_id": DECISION,
        "event_id": "order-7",
        "guard": "delete",
        "verdict": "remediate",
        "outcome": "pending",
        "mode": "approve",
        "target": [GROUP],
        "reasons": [
            {
                "code": "referenced",
                "message": "rules of other groups name it.",
                "effect": "block",
                "target": GROUP,
                "evidence": evidence[:100],
                "evidence_count": len(evidence),
            }
        ],
        "consequences": [
            {
                "target": GROUP,
                "kind": "will-be-refused",
                "error_code": "ResourceInUse",
                "vanishing": [],
                "note": "",
            }
        ],
        "facts": {
            "groups": [group],
            "references": found,
            "bindings": [],
            "instance": None,
            "count": None,
            "limits": [],
            "complete": True,
            "visibility": "account",
            "unseen": [],
            "blind_spots": ["Launch templates that name the group are not read."],
        },
        "plan": plan,
        "decided_at": "2026-11-28T14:42:10.000Z",
        "took_ms": 56.48,
        "note": "",
        "journal": [],
        "approval": {
            "approval_id": APPROVAL,
            "state": "pending",
            "facts_hash": "8" * 64,
            "expires_at": "2026-11-29T14:42:10.000Z",
            "resolved_by": "",
        },
    }


def blocked() -> Json:
    """A delete that is blocked for four reasons."""
    found = document()
    found |= {"verdict": "block", "outcome": "unchanged", "plan": [], "approval": None}
    kinds = [("instance", 3), ("load-balancer", 1)]
    bindings = [
        {
            "type": "binding",
            "kind": kind,
            "holder_id": f"{kind}-1",
            "name": "",
            "instance_id": "",
            "owner": "",
            "project": "0",
            "count": count,
            "other_group_ids": None,
            "change_refusal": "",
        }
        for kind, count in kinds
    ]
    unseen = {"type": "unseen", "code": "no-permission", "what": "x", "why": "y", "remedy": "z"}
    base = {"message": "m", "target": GROUP}
    found["reasons"] += [
        {**base, "code": "protected", "effect": "block", "evidence": [], "evidence_count": 0},
        {**base, "code": "bound", "effect": "block", "evidence": bindings, "evidence_count": 2},
        {
            **base,
            "code": "facts-incomplete",
            "effect": "block",
            "evidence": [unseen],
            "evidence_count": 1,
        },
    ]
    return found


def done(outcome: str, state: str = "approved") -> Json:
    found = copy.deepcopy(document())
    found["outcome"] = outcome
    found["approval"] |= {"state": state, "resolved_by": "ada"}
    return found


def without_names() -> Json:
    """A delete where the credential may see ids and no names, and not everything else either."""
    found = document(3)
    for one in found["facts"]["groups"]:
        one |= {"name": None, "project": None, "description": None, "tags": None}
    for one in (*found["facts"]["references"], *found["reasons"][0]["evidence"]):
        one |= {"group_name": None, "project": None}
    found["facts"] |= {
        "complete": False,
        "unseen": [{"code": "no-permission", "what": "names", "why": "denied", "remedy": "ask"}],
    }
    return found


MANY_GROUPS = [f"tencent::ap-guangzhou:sg-{n:08d}" for n in range(40)]


def of_many_groups() -> Json:
    """A set of forty groups."""
    found = document()
    found["target"] = MANY_GROUPS
    return found


CASES: dict[str, Json] = {
    "short": document(),
    "steps-55": document(54),
    "references-500": {**document(500), "plan": document(500)["plan"]},
    "emoji-rtl": document(name="🔥prod🔥 עברית", referrer="مجموعة 🚀 <@U1> [x](http://e.vil)"),
    "no-names": without_names(),
    "blocked": blocked(),
    "groups-40": of_many_groups(),
    "done": done("remediated"),
    "restorable": done("remediated"),
    "denied": done("refused", "denied"),
    "expired": done("refused", "expired"),
    "partly-undone": done("partly-undone"),
}
