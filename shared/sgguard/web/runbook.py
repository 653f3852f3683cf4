"""What each problem of an HTTP answer means, and what a person does about it.

The type of a problem ends with the name here; deploy/reasons.md is made from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PROBLEMS: Mapping[str, str] = MappingProxyType(
    {
        "invalid-event": "the event or its body cannot be read: correct what `problems` lists",
        "untrusted": (
            "no caller of the policy is proven: the log of the function says why; see "
            "[callers](callers.md)"
        ),
        "not-permitted": (
            "the caller may not ask this (`problems` names the rule), or this user may not decide "
            "on the approval request: see `approval.approvers` in the policy"
        ),
        "unknown": "there is no such approval request: check the id",
        "method-not-allowed": "use POST; GET describes the function",
        "answered": "the approval request was decided already",
        "busy": "the same event, or a group it changes, is being worked on by another process",
        "over": "the approval request or its link has expired: send the event again under a new id",
        "too-large": "the body is larger than `SGGUARD_MAX_BODY_BYTES`: send less",
        "unknown-format": "the content type is unknown: send JSON or a CloudEvent",
        "not-possible": (
            "the event is well formed, and asks for something impossible here: a region, an "
            "account, or a cloud that is not set up; `problems` has the path"
        ),
        "throttled": (
            "the cloud limits the rate of calls: wait; lower `SGGUARD_PACE` if it happens often"
        ),
        "budget": "the caller used up its `budget`: send fewer, or raise it",
        "internal": "an internal error of sgguard: report the incident number and its log line",
        "credentials": (
            "the cloud refused the credentials, or a part of them is missing: the operator must "
            "set them"
        ),
        "cloud-unavailable": "the cloud did not respond, or refused for a reason of its own",
        "deadline": "the time was used up: deliver again, or raise `SGGUARD_DEADLINE_S`",
        "settings": "a setting or the policy cannot be used: the log names it",
        "halted": "all changes are stopped: `sgguard halt status`",
        "store": "the store cannot be read or written: the operator must look",
        "keys": (
            "a secret, key set or certificate cannot be read now: see the log and `sgguard "
            "callers check`"
        ),
    }
)
"""By the name of the problem: what it means, and after a colon mostly what to do."""
