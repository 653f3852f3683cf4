"""Words for fields of events, types and scripts, by their English, in English."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    # -- what a policy permits a caller -----------------------------------------------------------
    "field.the event's source or type": "the event's source or type",
    "field.what a timer starts": "what a timer starts",
    "field.a target": "a target",
    "field.who called the cloud": "who called the cloud",
    "field.requested_by": "requested_by",
    "field.decisions": "decisions",
    "field.cloud calls": "cloud calls",
    # -- types of JSON ----------------------------------------------------------------------------
    "field.an object": "an object",
    "field.a list": "a list",
    "field.a text": "a text",
    "field.a whole number": "a whole number",
    "field.a number": "a number",
    "field.true or false": "true or false",
    "field.null": "null",
    # -- scripts ----------------------------------------------------------------------------------
    "field.Latin": "Latin",
    "field.Cyrillic": "Cyrillic",
    "field.Greek": "Greek",
    "field.Cjk": "Cjk",
    "field.Hiragana": "Hiragana",
    "field.Katakana": "Katakana",
    "field.Hangul": "Hangul",
    "field.Bopomofo": "Bopomofo",
    "field.Arabic": "Arabic",
    "field.Hebrew": "Hebrew",
    "field.Armenian": "Armenian",
    "field.Thai": "Thai",
    "field.Devanagari": "Devanagari",
    "field.Georgian": "Georgian",
    "field.Tamil": "Tamil",
    # -- fields, by what their schema says of them ------------------------------------------------
    "field.1 to 1000 groups to delete together, all of one provider, account and region, "
    "none twice": (
        "1 to 1000 groups to delete together, all of one provider, account and region, none twice"
    ),
    "field.Data of a sgguard.delete.requested.v1 event: a security group, or several "
    "together, are to be deleted.": (
        "Data of a sgguard.delete.requested.v1 event: a security group, or several together, "
        "are to be deleted."
    ),
    "field.an address of https that is told the decision and every change of its outcome; "
    "the policy permits its host": (
        "an address of https that is told the decision and every change of its outcome; the "
        "policy permits its host"
    ),
    "field.provider:account:region:group-id (the account may be empty), such as "
    "tencent::ap-guangzhou:sg-5ua9adfv": (
        "provider:account:region:group-id (the account may be empty), such as "
        "tencent::ap-guangzhou:sg-5ua9adfv"
    ),
    "field.who asks, for the record: a text of 1 to 256 characters, none of them a control "
    "character": (
        "who asks, for the record: a text of 1 to 256 characters, none of them a control character"
    ),
    "field.Data of a sgguard.launch.requested.v1 event: instances are about to be launched "
    "with these groups, or an instance exists already.": (
        "Data of a sgguard.launch.requested.v1 event: instances are about to be launched "
        "with these groups, or an instance exists already."
    ),
    "field.a group's id, such as sg-5ua9adfv": "a group's id, such as sg-5ua9adfv",
    "field.a provider's name, such as tencent": "a provider's name, such as tencent",
    "field.how many instances are launched, 1 to 1000000": (
        "how many instances are launched, 1 to 1000000"
    ),
    "field.the account's name; empty or absent for the configured one": (
        "the account's name; empty or absent for the configured one"
    ),
    "field.the cloud's own name of the region, such as ap-guangzhou": (
        "the cloud's own name of the region, such as ap-guangzhou"
    ),
    "field.the existing instance's id, such as ins-7oerc1kr": (
        "the existing instance's id, such as ins-7oerc1kr"
    ),
    "field.the network (VPC) of the planned instances": (
        "the network (VPC) of the planned instances"
    ),
    "field.the project of the planned instances": "the project of the planned instances",
    "field.up to 100 ids of the groups the planned instances get, or that would be bound to "
    "the existing instance in addition": (
        "up to 100 ids of the groups the planned instances get, or that would be bound to "
        "the existing instance in addition"
    ),
    "field.1 to 100000 ids of instances, interfaces or ports; one that comes twice counts once": (
        "1 to 100000 ids of instances, interfaces or ports; one that comes twice counts once"
    ),
    "field.Data of a sgguard.bind.requested.v1 event: a group is to be put on many holders, "
    "or taken off them.": (
        "Data of a sgguard.bind.requested.v1 event: a group is to be put on many holders, or "
        "taken off them."
    ),
    "field.a pattern over names, such as web-*": "a pattern over names, such as web-*",
    "field.a tag, key=value or a key": "a tag, key=value or a key",
    "field.bind puts the group on the holders, unbind takes it off; bind without it": (
        "bind puts the group on the holders, unbind takes it off; bind without it"
    ),
    "field.further holders: all that fit every key given": (
        "further holders: all that fit every key given"
    ),
    "field.how many holders it changes": "how many holders it changes",
    "field.how many of its holders were over then": "how many of its holders were over then",
    "field.instead of holders: go on with a bind that was handed on; the function sends this "
    "itself": (
        "instead of holders: go on with a bind that was handed on; the function sends this itself"
    ),
    "field.the address of the group, such as tencent::ap-guangzhou:sg-5ua9adfv": (
        "the address of the group, such as tencent::ap-guangzhou:sg-5ua9adfv"
    ),
    "field.the id of a group that they carry": "the id of a group that they carry",
    "field.the id of a network": "the id of a network",
    "field.the id of the decision": "the id of the decision",
    "field.Data of a sgguard.approvals.due.v1 event, sent by a cron trigger: close the "
    "approvals that expired and say which pending ones are worth a reminder. It says nothing "
    "itself.": (
        "Data of a sgguard.approvals.due.v1 event, sent by a cron trigger: close the "
        "approvals that expired and say which pending ones are worth a reminder. It says "
        "nothing itself."
    ),
    "field.Data of a sgguard.chat.post.v1 event: send the message of a decision to the "
    "channels that its routes name. Callbacks of chat channels come to the same address.": (
        "Data of a sgguard.chat.post.v1 event: send the message of a decision to the "
        "channels that its routes name. Callbacks of chat channels come to the same address."
    ),
    "field.the id of a decision that is kept: a text of 1 to 128 characters, none of them a "
    "control character": (
        "the id of a decision that is kept: a text of 1 to 128 characters, none of them a "
        "control character"
    ),
}
