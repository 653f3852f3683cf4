"""A small OpenStack cloud: one project with an app tier, another that shares nothing with it."""

from __future__ import annotations

from tests.worlds import World

PROJECT = "c8f1820c52ab4d5f8b1c0d3f5a9e7b61"
OTHER_PROJECT = "d9a2931d63bc4e6f9c2d1e4f6b0f8c72"

WEB = "1dd6e298-5f3a-4d0b-9a52-000000000001"
APP = "984c55dd-1c2b-4e3f-8a4d-000000000002"
OUT = "5b245c98-7d6e-4f5a-9b8c-000000000003"
SELF = "54662a6f-2e1d-4c3b-8a9f-000000000004"
BOUND = "86deb502-8e09-418a-9c69-000000000005"
FREE = "9883814f-4d4a-437b-a377-000000000006"
DEFAULT = "04ca5244-c228-4a6b-8de9-000000000007"
FOREIGN = "0f0f0f0f-c228-4a6b-8de9-000000000008"
SERVER = "988a5931-6239-4c16-ac56-000000000011"
OTHER_SERVER = "140146fc-665a-472e-9c20-000000000012"
BARE_SERVER = "2b2c5d03-36f3-4064-9c73-000000000013"
FOREIGN_SERVER = "3c3d6e14-47a4-4175-8d84-000000000014"
PORT = "7ceea7a1-0440-4fc5-9f75-000000000021"
PORT_SECOND = "10d6046d-b034-4e6e-9a06-000000000022"
PORT_OTHER_FIRST = "20e6157e-c145-4f7f-8b17-000000000023"
PORT_DHCP = "30f7268f-d256-408a-9c28-000000000024"
PORT_FOREIGN = "41083790-e367-419b-8d39-000000000025"
MISSING = "00000000-1111-4222-8333-444444444444"

AUTH_URL = "http://cloud.example/identity"
PASSWORD_ENV = {
    "OS_AUTH_URL": AUTH_URL,
    "OS_USERNAME": "alice",
    "OS_PASSWORD": "correct horse",
    "OS_PROJECT_NAME": "shop",
    "OS_USER_DOMAIN_NAME": "Default",
    "OS_PROJECT_DOMAIN_NAME": "Default",
}
ADMIN_ENV = PASSWORD_ENV | {
    "OS_USERNAME": "root",
    "OS_PASSWORD": "battery staple",
    "OS_PROJECT_NAME": "admin",
}
READER_ENV = PASSWORD_ENV | {"OS_USERNAME": "rita", "OS_PASSWORD": "only looking"}
OTHER_ENV = PASSWORD_ENV | {
    "OS_USERNAME": "olga",
    "OS_PASSWORD": "another shop",
    "OS_PROJECT_NAME": "other",
}
CREDENTIAL_ENV = {
    "OS_AUTH_URL": AUTH_URL,
    "OS_APPLICATION_CREDENTIAL_ID": "21dced0fd20347869b93710d2b98aae0",
    "OS_APPLICATION_CREDENTIAL_SECRET": "app credential secret",
}

SCENARIO = {
    "clouds": [
        {
            "provider": "openstack",
            "regions": ["RegionOne", "RegionTwo"],
            "accounts": [
                {
                    "id": "f563ee900ddc4032a72f3187a21f623f",
                    "user": "alice",
                    "password": "correct horse",
                    "projects": [PROJECT],
                    "project_names": {PROJECT: "shop"},
                    "app_credentials": {
                        "21dced0fd20347869b93710d2b98aae0": "app credential secret"
                    },
                },
                {
                    "id": "0ca05c20ee48419bb171707560ad793b",
                    "user": "root",
                    "password": "battery staple",
                    "projects": ["adadadadadadadadadadadadadadadad"],
                    "project_names": {"adadadadadadadadadadadadadadadad": "admin"},
                    "role": "admin",
                },
                {
                    "id": "1db16d31ff59520cc282818671be804c",
                    "user": "rita",
                    "password": "only looking",
                    "projects": [PROJECT],
                    "project_names": {PROJECT: "shop"},
                    "role": "reader",
                },
                {
                    "id": "2ec27e4200a6631dd393929782cf915d",
                    "user": "olga",
                    "password": "another shop",
                    "projects": [OTHER_PROJECT],
                    "project_names": {OTHER_PROJECT: "other"},
                },
            ],
            "groups": [
                {"id": WEB, "name": "web"},
                {
                    "id": APP,
                    "name": "app",
                    "rules": [
                        {
                            "id": "039f363c-0000-4000-8000-000000000031",
                            "direction": "ingress",
                            "ports": "5432",
                            "peer_group": WEB,
                        },
                        {
                            "id": "039f363c-0000-4000-8000-000000000032",
                            "direction": "egress",
                            "protocol": "any",
                            "cidr": "0.0.0.0/0",
                        },
                    ],
                },
                {
                    "id": OUT,
                    "name": "out",
                    "rules": [
                        {
                            "id": "039f363c-0000-4000-8000-000000000033",
                            "direction": "egress",
                            "ports": "80-443",
                            "peer_group": WEB,
                        }
                    ],
                },
                {
                    "id": SELF,
                    "name": "cluster",
                    "rules": [
                        {
                            "id": "039f363c-0000-4000-8000-000000000034",
                            "direction": "ingress",
                            "protocol": "any",
                            "peer_group": SELF,
                        }
                    ],
                },
                {"id": BOUND, "name": "bound"},
                {"id": FREE, "name": "free"},
                {"id": DEFAULT, "name": "default", "default": True},
                {"id": FOREIGN, "name": "elsewhere", "project": OTHER_PROJECT},
            ],
            "instances": [
                {"id": SERVER, "name": "web-1"},
                {"id": OTHER_SERVER, "name": "web-2"},
                {"id": BARE_SERVER, "name": "no-port"},
                {"id": FOREIGN_SERVER, "name": "theirs", "project": OTHER_PROJECT},
            ],
            "interfaces": [
                {"id": PORT, "instance": SERVER, "groups": [BOUND], "network": "net-1"},
                {"id": PORT_OTHER_FIRST, "instance": OTHER_SERVER, "groups": [DEFAULT]},
                {
                    "id": PORT_SECOND,
                    "instance": OTHER_SERVER,
                    "groups": [BOUND],
                    "kind": "secondary",
                },
            ],
        }
    ]
}

WORLD = World(
    provider="openstack",
    region="RegionOne",
    env=PASSWORD_ENV,
    scenario=SCENARIO,
    referenced=WEB,
    referrer_in=APP,
    referrer_out=OUT,
    self_referencing=SELF,
    bound=BOUND,
    server=SERVER,
    other_server=OTHER_SERVER,
    free=FREE,
    default=DEFAULT,
    missing=MISSING,
    malformed="sg-5ua9adfv",
    missing_server=MISSING,
    # The rules of the project's groups show the same: only without both is anything hidden.
    denied_references="GET /v2.0/security-group*",
    wrong_secret_env=PASSWORD_ENV | {"OS_PASSWORD": "wrong horse"},
)
