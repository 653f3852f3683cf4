"""One region of an Alibaba Cloud account, and the peer account next door."""

from __future__ import annotations

import copy

from tests.worlds import World

OWN_UID = "1000000000000001"
PEER_UID = "1000000000000002"
SECRET = "EXAMPLESECRET0000000000000000"
TOKEN = "CAIS/tok+en=="
ADVANCED = "sg-bp1lck00000000000007"

ENV = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAIEXAMPLE0000",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET,
    "ALIBABA_CLOUD_SECURITY_TOKEN": TOKEN,
}

SCENARIO = {
    "clouds": [
        {
            "provider": "alibaba",
            "regions": ["cn-hangzhou", "cn-beijing"],
            "accounts": [
                {"id": OWN_UID, "key_id": "LTAIEXAMPLE0000", "secret": SECRET, "token": TOKEN},
                {"id": PEER_UID, "key_id": "LTAIPEER0000", "secret": "PEERSECRET00000000000"},
            ],
            "groups": [
                {
                    "id": "sg-bp1web00000000000001",
                    "name": "web",
                    "network": "vpc-bp1main",
                    "tags": {"team": "shop"},
                    "rules": [
                        {"direction": "ingress", "ports": "443", "cidr": "0.0.0.0/0"},
                        {"direction": "ingress", "ports": "8000-8010", "cidr": "10.0.0.0/8"},
                    ],
                },
                {
                    "id": "sg-bp1app00000000000002",
                    "name": "app",
                    "network": "vpc-bp1main",
                    "rules": [
                        {
                            "id": "sgr-bp1app1",
                            "direction": "ingress",
                            "ports": "8080",
                            "peer_group": "sg-bp1web00000000000001",
                        },
                        {"direction": "egress", "protocol": "any", "cidr": "0.0.0.0/0"},
                    ],
                },
                {
                    "id": "sg-bp1job00000000000003",
                    "name": "jobs",
                    "network": "vpc-bp1main",
                    "rules": [
                        {
                            "id": "sgr-bp1job1",
                            "direction": "egress",
                            "ports": "443",
                            "peer_group": "sg-bp1web00000000000001",
                            "action": "drop",
                            "priority": 7,
                        }
                    ],
                },
                {"id": "sg-bp1use00000000000004", "name": "carried", "network": "vpc-bp1main"},
                {
                    "id": "sg-bp1old00000000000005",
                    "name": "left-over",
                    "network": "vpc-bp1main",
                },
                {
                    "id": "sg-bp1ack00000000000006",
                    "name": "alicloud-cs-auto-created",
                    "network": "vpc-bp1main",
                    "managed_by": "1503405350102016",
                },
                {
                    "id": "sg-bp1lck00000000000007",
                    "name": "cluster",
                    "network": "vpc-bp1main",
                    "kind": "advanced",
                    "protected": True,
                },
                {
                    "id": "sg-bp1sha00000000000008",
                    "name": "shared",
                    "network": "vpc-bp1main",
                },
                {
                    "id": "sg-bp1for00000000000009",
                    "name": "of the peer",
                    "account": PEER_UID,
                    "network": "vpc-bp1peer",
                    "rules": [
                        {
                            "direction": "ingress",
                            "ports": "22",
                            "peer_group": "sg-bp1sha00000000000008",
                            "peer_account": OWN_UID,
                        }
                    ],
                },
            ],
            "instances": [
                {
                    "id": "i-bp1server0000000001",
                    "name": "shop-1",
                    "state": "Running",
                    "network": "vpc-bp1main",
                },
                {
                    "id": "i-bp1server0000000002",
                    "name": "shop-2",
                    "state": "Stopped",
                    "network": "vpc-bp1main",
                },
                {
                    "id": "i-bp1server0000000003",
                    "name": "shop-3",
                    "state": "Starting",
                    "network": "vpc-bp1main",
                },
            ],
            "interfaces": [
                {
                    "id": "eni-bp1primary00000001",
                    "instance": "i-bp1server0000000001",
                    "groups": ["sg-bp1use00000000000004", "sg-bp1app00000000000002"],
                },
                {
                    "id": "eni-bp1primary00000002",
                    "instance": "i-bp1server0000000002",
                    "groups": ["sg-bp1app00000000000002"],
                },
                {
                    "id": "eni-bp1second000000002",
                    "instance": "i-bp1server0000000002",
                    "kind": "secondary",
                    "name": "backup",
                    "groups": ["sg-bp1use00000000000004"],
                },
                {
                    "id": "eni-bp1primary00000003",
                    "instance": "i-bp1server0000000003",
                    "groups": ["sg-bp1job00000000000003"],
                },
                {
                    "id": "eni-bp1managed00000009",
                    "kind": "secondary",
                    "groups": ["sg-bp1app00000000000002"],
                    "managed_by": "1503405350102016",
                    "network": "vpc-bp1main",
                },
            ],
        }
    ]
}

WORLD = World(
    provider="alibaba",
    region="cn-hangzhou",
    env=ENV,
    scenario=SCENARIO,
    referenced="sg-bp1web00000000000001",
    referrer_in="sg-bp1app00000000000002",
    referrer_out="sg-bp1job00000000000003",
    self_referencing="",
    bound="sg-bp1use00000000000004",
    server="i-bp1server0000000001",
    other_server="i-bp1server0000000002",
    free="sg-bp1old00000000000005",
    default="",
    missing="sg-bp1gone0000000000000",
    malformed="sg_bp1 web",
    missing_server="i-bp1gone00000000000",
    denied_references="DescribeSecurityGroupReferences",
    wrong_secret_env=ENV | {"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "WRONGSECRET000000000000000000"},
)


def actions(emulator):
    return sorted(request.action for request in emulator.requests)


def switch(emulator, **quirks):
    emulator.state.clouds[0].quirks.update(quirks)
    return emulator


def add_referrers(emulator, group_id, count, *, account=OWN_UID, rules=1, name="many"):
    """Groups of an account, each with ``rules`` rules whose peer is the group."""
    cloud = emulator.state.clouds[0]
    holder = cloud.group(WORLD.referrer_in)
    added = []
    for number in range(count):
        clone = copy.deepcopy(holder)
        clone.id, clone.account = f"sg-bp1{name}{number:013d}", account
        clone.rules = [copy.deepcopy(holder.rules[0]) for _ in range(rules)]
        for position, rule in enumerate(clone.rules):
            rule.id, rule.peer_group = f"sgr-{clone.id}-{position}", group_id
        cloud.groups.append(clone)
        added.append(clone.id)
    return added


def add_strangers(emulator, count):
    """Groups of our own without a rule that names a group."""
    cloud = emulator.state.clouds[0]
    for number in range(count):
        clone = copy.deepcopy(cloud.group(WORLD.free))
        clone.id = f"sg-bp1stranger{number:013d}"
        cloud.groups.append(clone)


def add_interfaces(emulator, group_id, count, *, kind="primary", instance=""):
    """Interfaces that carry the group: one each of new instances, or several of one."""
    cloud = emulator.state.clouds[0]
    for number in range(count):
        server = copy.deepcopy(cloud.instances[0])
        server.id = instance or f"i-bp1{kind}{number:09d}"
        if not instance:
            cloud.instances.append(server)
        nic = copy.deepcopy(cloud.interfaces[0])
        nic.id, nic.instance, nic.kind = f"eni-{kind}-{server.id}-{number}", server.id, kind
        nic.groups = [group_id]
        cloud.interfaces.append(nic)
