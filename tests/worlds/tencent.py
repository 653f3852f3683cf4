"""A small Tencent Cloud with the groups of the contract suites."""

from __future__ import annotations

from tests.worlds import World

REGION = "ap-guangzhou"
SECRET = "EXAMPLESECRETKEY0000000000000000"
ENV = {
    "TENCENTCLOUD_SECRET_ID": "AKIDEXAMPLE0000000000000000000000",
    "TENCENTCLOUD_SECRET_KEY": SECRET,
    "TENCENTCLOUD_TOKEN": "tok/en+example==",
}

GROUPS = [
    {
        "id": "sg-deflt000",
        "name": "default",
        "description": "made with the project",
        "default": True,
    },
    {"id": "sg-5ua9adfv", "name": "databases", "tags": {"team": "data"}},
    {
        "id": "sg-exnsygsn",
        "name": "web",
        "rules": [
            {"direction": "ingress", "ports": "443", "cidr": "0.0.0.0/0"},
            {
                "direction": "ingress",
                "ports": "3306",
                "peer_group": "sg-5ua9adfv",
                "description": "replication",
            },
            {"direction": "egress", "protocol": "any", "cidr": "::/0"},
        ],
    },
    {
        "id": "sg-outgoing",
        "name": "jobs",
        "rules": [
            {"direction": "ingress", "ports": "22", "cidr": "10.0.0.0/8", "action": "drop"},
            {
                "direction": "egress",
                "protocol": "any",
                "peer_group": "sg-5ua9adfv",
                "description": "batch",
            },
        ],
    },
    {
        "id": "sg-selfref0",
        "name": "cluster",
        "rules": [{"direction": "ingress", "protocol": "any", "peer_group": "sg-selfref0"}],
    },
    {"id": "sg-carried0", "name": "carried"},
    {"id": "sg-unused00", "name": "unused"},
]


WORLD = World(
    provider="tencent",
    region=REGION,
    env=ENV,
    scenario={
        "clouds": [
            {
                "provider": "tencent",
                "regions": [REGION, "ap-singapore"],
                "accounts": [
                    {
                        "id": "100000000001",
                        "key_id": ENV["TENCENTCLOUD_SECRET_ID"],
                        "secret": SECRET,
                        "token": ENV["TENCENTCLOUD_TOKEN"],
                        "projects": ["0"],
                    },
                    {
                        "id": "100000000002",
                        "key_id": "AKIDOTHER00000000000000000000000",
                        "secret": "ANOTHERSECRETKEY0000000000000000",
                        "projects": ["0"],
                    },
                ],
                "groups": GROUPS,
                "instances": [
                    {
                        "id": "ins-915zrb0p",
                        "name": "db-1",
                        "network": "vpc-2hxl6jir",
                        "groups": ["sg-carried0", "sg-deflt000"],
                    },
                    {
                        "id": "ins-2zvpghhc",
                        "name": "db-2",
                        "network": "vpc-2hxl6jir",
                        "groups": ["sg-deflt000"],
                    },
                ],
                "interfaces": [
                    {
                        "id": "eni-3056glfn",
                        "name": "side",
                        "instance": "ins-2zvpghhc",
                        "kind": "secondary",
                        "groups": ["sg-carried0"],
                    }
                ],
            }
        ]
    },
    referenced="sg-5ua9adfv",
    referrer_in="sg-exnsygsn",
    referrer_out="sg-outgoing",
    self_referencing="sg-selfref0",
    bound="sg-carried0",
    server="ins-915zrb0p",
    other_server="ins-2zvpghhc",
    free="sg-unused00",
    default="sg-deflt000",
    missing="sg-nowhere0",
    malformed="sg-ide32",
    missing_server="ins-nowhere0",
    denied_references="DescribeSecurityGroupReferences",
    wrong_secret_env={**ENV, "TENCENTCLOUD_SECRET_KEY": "WRONGSECRETKEY000000000000000000"},
)
