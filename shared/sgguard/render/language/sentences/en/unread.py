"""Why an event cannot be taken, and why one of a cloud concerns nobody, in English."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    # -- an event, or what it asks for, as a whole ------------------------------------------------
    "unread.data": "the event's data cannot be read",
    "unread.format": "bodies of this content type are not read here: expected {right:2000}",
    "unread.content-type": "bodies of this content type are not read here",
    "unread.body": "the body {problem:2000}",
    "unread.no-object": "the body is not a JSON object",
    "unread.bad-id": "the event's id cannot be used",
    "unread.no-list": "a batch is a JSON list",
    "unread.batch-of": "a batch of {events} events is too large: send at most {most}",
    "unread.batch": "the batch is too large: send at most {most} events",
    "unread.other-type": "events of this type are not judged here: expected {type:200}",
    "unread.no-cloudevent": "this is not a CloudEvent that can be read",
    "unread.none": "no event was found in the delivery",
    "unread.inner": "a text in the delivery is no JSON",
    "unread.two-sources": "two sources claim this event",
    "unread.no-source": "no source reads this event",
    "unread.not-whole": "this is nearly an event of {source}, and not whole",
    "unread.bulk-ports": "a bulk call of more than {most} ports is not read",
    "unread.no-region": "events of {source} do not name their region: set {text:400}{names:silent}",
    "unread.moving": "what the plan would change is changed by others at this moment",
    "unread.only-clouds": "only the clouds' own events are read here",
    "unread.targets": "the targets cannot be judged together",
    "unread.groups": "the groups cannot be judged together",
    "unread.address": "a target is not a group address",
    "unread.callback": "the callback {why:2000} ({right:2000})",
    "unread.compressed": "compressed bodies are not read here",
    "unread.too-large": "the body is larger than {bytes} bytes",
    "unread.cut-off": "the body could not be read to its end",
    "unread.paths": (
        "known paths: {known:room=2000}; {variable} names the part that a gateway puts before them"
    ),
    "unread.no-function": "there is no such function: {known:room=2000}",
    "unread.method": "{method:16} is not supported: use {right}",
    # -- whose request it is ----------------------------------------------------------------------
    "caller.uncovered": (
        "the proof of the caller {caller:200} does not cover ce- headers: send the "
        "CloudEvent in structured mode"
    ),
    "caller.not-permitted": (
        "{what:200 field} is not one of those that the policy permits to the caller {caller:200}"
    ),
    "caller.function": "the caller {caller:200} may not call {function}",
    "caller.budget": "the caller {caller:200} used up its {most} {what:field} a minute",
    "unread.account-named": "{text:2000}{account:silent}{here:silent}",
    "unread.account-nameless": "{text:2000}{account:silent}{here:silent}",
    "unread.bind-may-not": "this caller may change nothing",
    "unread.bind-none": "there is no such bind to go on with",
    "unread.bind-busy": "decision {decision} is being worked on",
    # -- addresses of groups ----------------------------------------------------------------------
    "address.form": "{text:2000}{given:silent}",
    "address.lacks": "{text:2000}{given:silent}{part:silent}",
    "address.provider": "{text:2000}{given:silent}{value:silent}",
    "address.part": "{text:2000}{given:silent}{value:silent}{part:silent}",
    # -- why an event of a cloud concerns nobody --------------------------------------------------
    "ignored.foreign": "a CloudEvent of another source: it is about no security group",
    "ignored.product-event": "an event of a product, not a call that was audited",
    "ignored.other-call": "a call that changes no security group and no binding",
    "ignored.refused-call": "the call was refused: nothing was changed",
    "ignored.other-attribute": "a change of an attribute that is no security group",
    "ignored.other-instance-event": "another event of an instance than a change of its state",
    "ignored.other-state": "a state in which an instance is not launched",
    "ignored.subscription": "a message about a subscription, which an operator confirms",
    "ignored.other-service": "an event of another service of Huawei Cloud",
    "ignored.job": "a job was accepted: the trace of its result is judged",
    "ignored.unknown-port": "a port that is not known to be an instance's",
    "ignored.other-port": "a port that is no instance's",
    "ignored.notification": "a notification that is about no security group and no launch",
    "ignored.start": (
        "what was asked for: whether it was done is told by the event that ends in .end"
    ),
    "ignored.failed": "it failed: nothing was bound",
    "ignored.port-gone": "a port that is gone carries no group",
}
