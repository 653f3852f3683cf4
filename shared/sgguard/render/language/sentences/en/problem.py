"""Why a request, a link or a click is refused, in English."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    # -- approval requests and their links -------------------------------------------------------
    "approval.none": "there is no approval '{approval:80}'",
    "approval.unlisted": "{name:60} may not approve or deny this: approval.approvers does not list "
    "them",
    "approval.nameless": "a person without a name may not approve or deny this: "
    "approval.approvers does not list them",
    "approval.requester-unknown": "the requester is not known, so it may be the approver: send "
    "requested_by with the event, or set approval.may_approve_own",
    "approval.own": "{name:60} requested this and may not approve it (approval.may_approve_own)",
    "approval.approved": "{name:60} approved this already, {at}",
    "approval.approved-and": "{name:60} approved this already, {at}: {outcome:kind}",
    "approval.approved-changed": "{name:60} approved this already, but the facts had changed, and "
    "nothing was done; the new approval request is {approval}",
    "approval.denied": "{name:60} denied this already, {at}",
    "approval.superseded": "the facts of this approval request have changed, and nothing was done",
    "approval.superseded-by": "the facts of this approval request have changed, and nothing was "
    "done; the new approval request is {approval}",
    "approval.expired": "this approval request expired {at}: send the event again",
    "approval.busy": "this is being worked on: try again in a moment",
    "approval.busy-by": "{name:60} approved this already, and it is being worked on: try again in "
    "a moment",
    "approval.stays-open": "{why:2000}; the approval request stays open",
    "approval.observing": "the mode is observe now: nothing is changed, the approval request stays "
    "open",
    "approval.incomplete": "{why:2000} The approval request stays open.",
    "approval.incomplete-bind": "something could not be read; the approval request stays open",
    "approval.meanwhile": "the approval request was resolved meanwhile",
    "approval.withdrawn": "not begun: {why:2000}; nothing was done, send the event again",
    "thing.remediated": "remediated",
    "thing.undone": "undone",
    "thing.partly-undone": "partly-undone",
    "thing.unfinished": "unfinished",
    "thing.accepted": "accepted",
    "thing.superseded": "superseded",
    "thing.refused": "refused",
    "link.expired": "this link has expired: request the approval again",
    "link.invalid": "this link is not valid: request a new one",
    "link.other-facts": "this link is about other facts: request a new one",
    "link.no-token": "the form has no token",
    # -- events and messages ---------------------------------------------------------------------
    "event.busy": "this very event is being worked on by another instance",
    "event.other-content": "an event '{event:200}' of this source came before with other content: "
    "a new request needs a new id",
    "decision.unfinished": "{why:2000}; decision {decision} is unfinished",
    "chat.unsigned": "no channel signed this",
    "chat.unreadable": "the callback cannot be read",
    "chat.no-decision": "there is no such decision",
    "chat.sending": "this message is being sent by another instance",
    "chat.waits": "the message waits: {why:400}",
    "chat.too-wide": "the message does not fit the channel",
    "chat.acting": "this request is being worked on",
    # -- restores --------------------------------------------------------------------------------
    "restore.none": "there is no decision '{decision:80}': see sgguard decisions list",
    "restore.nothing": "decision {decision} changed nothing: there is nothing to restore",
    "restore.unfinished": "decision {decision} is unfinished: sgguard resume {decision}",
    "restore.undone": "decision {decision} was undone: everything is as it was",
    "restore.bind": "decision {decision} bound a group: sgguard undo {decision} takes it back",
    "restore.moving": "what decision {decision} removed changes all the time: try again",
    "restore.busy": "decision {decision} is being restored already",
    "restore.too-often": {
        "one": "decision {decision} was restored without success {n} time",
        "other": "decision {decision} was restored without success {n} times",
    },
    "restore.exists": "{group} was not deleted, or exists again",
    "restore.twin": "{twins:room=2000}: it may have been built again by hand. --twin creates "
    "another one beside it",
    "restore.namesake": "{group} is named {name} as {before} was",
    "restore.used": "this was used already: the restore of decision {decision} was begun with it",
    "restore.over": "this was for the restore of decision {decision} until {at}: use sgguard "
    "restore {decision}",
    "restore.changed": "what this was for has changed: decision {decision} was restored, or tried "
    "to be, since",
    "restore.unlisted": "{name:60} may not restore this: approval.approvers does not list them",
}
