"""Why the groups of a holder cannot be changed now, in English."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "refusal.instance-state": "IncorrectInstanceStatus: the instance is {state}; a group can "
    "be bound while it is Running or Stopped",
    "refusal.instance-locked": "InstanceLockedForSecurity: the instance is locked "
    "({locks:room=80})",
    "refusal.service-managed": "InvalidOperation.EniServiceManaged: {owner} owns the interface",
    "refusal.interface-state": "InvalidOperation.InvalidEniState: the interface is {state}",
    "refusal.in-field": "the group is in {field}, which only the extension that has it can change",
    "refusal.no-port-security": "PortSecurityAndIPRequiredForSecurityGroups: port security is "
    "switched off",
    "refusal.port-of-project": "PolicyNotAuthorized: the port belongs to project {project}",
    "refusal.port-of-router": "DeviceIDNotOwnedByTenant: the port belongs to a router",
    "refusal.no-port": "itemNotFound: the server has no port that a group could be added to",
    "refusal.port-security-of": "badRequest: port security is switched off on port {port}",
    "refusal.port-no-address": "badRequest: port {port} has no address",
    "refusal.extension": "an extension's field carries the group: no call here changes that",
    "refusal.port-of-product": "the port belongs to {product}: only that service changes its "
    "groups",
    "refusal.port-of-cloud": "the port belongs to {owner}: only the cloud changes its groups",
    "refusal.server-state": "the server is {state}",
    "refusal.server-bare": "404 itemNotFound: the server has no interface to carry a group",
    "refusal.port-security-off": "400 badRequest: port security is off on interface {port}",
    "refusal.pending": "UnsupportedOperation.InstanceStatePending: the instance is being created",
    "refusal.launch-failed": "FailedOperation: the launch of the instance failed",
    "refusal.shut-down": "UnsupportedOperation.InstanceStateIsolating: the instance waits for "
    "removal",
    "refusal.terminating": "UnsupportedOperation.InstanceStateIsolating: the instance is being "
    "removed",
    "refusal.isolating": "UnsupportedOperation.InstanceStateIsolating: the instance is being "
    "isolated",
    "refusal.untold-state": "UnsupportedOperation: the cloud does not tell the state of the "
    "instance",
    "refusal.restricted": "UnsupportedOperation.InstanceStateIsolating: the instance is {state}",
    "refusal.operating": "OperationDenied.InstanceOperationInProgress: {operation} is under way",
    "refusal.operating-any": "OperationDenied.InstanceOperationInProgress: an operation is "
    "under way",
    "refusal.no-cvm": "UnsupportedOperation: the interface belongs to {holder}, which is no "
    "CVM instance",
    "refusal.of-product": "UnsupportedOperation: the interface belongs to the product {owner}",
    "refusal.deleting": "UnsupportedOperation.InvalidState: the interface is being deleted",
    "refusal.primary": "UnsupportedOperation: it is the primary one of {instance}: name it",
    "row.not-found": "the cloud shows no such holder.",
    "row.later": "it comes later: {why}",
    "row.gone": "it is gone since.",
    "row.endless": "the cloud took the call and was still at it {minutes} minutes later: it may be "
    "changed yet; the same request tells.",
    "row.failed-later": "the cloud took the call and then failed to carry it out.",
    "row.changed-back": "it was changed, and somebody changed it back.",
    "row.never-shown": "the call was sent {times} times, and the cloud never showed the change.",
    "row.reached-meanwhile": "it was as wanted meanwhile.",
    "row.last-since": "it carries no other group any more.",
    "row.put-on": "somebody else put it on again since.",
    "row.taken-off": "somebody else took it off since.",
    "row.carries": "it carries {group} already.",
    "row.carries-not": "it does not carry {group} already.",
    "row.malformed": "'{holder:60}' is no id of a holder of this cloud.",
    "row.unseen": "{what} could not be seen ({why}).",
    "row.nothing-carries": "it has nothing that carries groups.",
    "row.last-group": "{holder} carries no other group, and would be left without.",
    "row.other-network": "the group belongs to network {theirs}, the holder to {ours}.",
    "row.other-project": "the group belongs to project {theirs}, the holder to {ours}.",
    "row.too-many": {
        "one": "it would carry {n} group, the {source:kind} limit is {ceiling}.",
        "other": "it would carry {n} groups, the {source:kind} limit is {ceiling}.",
    },
    "row.kinds-untold": "whether its groups are of the same kind is not told.",
    "row.kinds-mixed": "it carries groups that are {kinds:room=60}, this one is {kind} ({code}).",
    "row.baseline": "it would lack the baseline group {entry:60}.",
    "row.full": {
        "one": "the group would have {n} holder, its {source:kind} limit is {ceiling}.",
        "other": "the group would have {n} holders, its {source:kind} limit is {ceiling}.",
    },
    "row.bound-since": "decision {decision} put it on since: it is left as it is.",
    "row.unbound-since": "decision {decision} took it off since: it is left as it is.",
}
