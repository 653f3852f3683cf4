"""Huawei Cloud's world: AK/SK with a session token, VPC v3, a supplementary interface, an RDS."""

from __future__ import annotations

from tests.worlds import World

PROJECT = "e73621affb8f44e1bc01898747ca09d4"
OTHER_PROJECT = "bb1118612ba64af3a6ea63a1bdcaa5ae"
REGION = "cn-north-4"

REFERENCED = "bc4ac1d1-dc77-4b7d-a97d-af86eb0dc450"
REFERRER_IN = "b3e4b615-a40f-4e1c-92af-2e0d382141d5"
REFERRER_OUT = "0f7b9b2a-51f4-4d7e-9d10-6f1f3d2b8a01"
SELF_REFERENCING = "5a8c1e44-2c3b-4f0f-8e57-2c6a90d1b702"
BOUND = "6ca078f6-1f69-49dd-b71e-bc7440244298"
FREE = "126dd8e8-d33a-4a68-8ad4-afb04d6dad3a"
DEFAULT = "36225752-ae9e-4541-9dde-c3d1083900cb"
ON_DATABASE = "8fcdbf49-21b5-41a2-ad0e-51402828c443"
ON_SUPPLEMENTARY = "d2b71f09-7f6d-4b37-9a7e-3f1f5c1f6a11"
DENIED_AND_DISABLED = "e0c5a7de-3b0d-4e0b-9b4c-0a5a3b6c7d08"

SERVER = "65fae4c2-3a09-46c6-af12-3b04f1fdba1e"
OTHER_SERVER = "bac642b0-a9ca-4a13-b6b9-9e41b35905b6"
PORT = "44e33faa-d517-4681-8706-5ef52ffc80dc"
SECOND_PORT = "16fe0e82-c07d-4b1a-bb54-5db93272d329"
SUPPLEMENTARY = "2f6d1c3b-9a8e-4d7c-8b1a-0c9d8e7f6a5b"

ENV = {
    "HUAWEICLOUD_SDK_AK": "HWTESTACCESSKEY00001",
    "HUAWEICLOUD_SDK_SK": "hwTestSecretKey0000000000000000000000001",
    "HUAWEICLOUD_SDK_SECURITY_TOKEN": "FAKETOKENgQpjbi1ub3J0aC00ijSQ==",
    "HUAWEICLOUD_SDK_PROJECT_ID": PROJECT,
}
PASSWORD_ENV = {
    "OS_USERNAME": "guard",
    "OS_PASSWORD": "not-a-real-password",
    "OS_DOMAIN_NAME": "OTC-EU-DE-00000000001000000001",
}


def _rule(direction: str, **more: object) -> dict[str, object]:
    return {"direction": direction, "protocol": "tcp", "ports": "22", **more}


SCENARIO = {
    "clouds": [
        {
            "provider": "huawei",
            "regions": [REGION, "eu-de"],
            "quirks": {"page_max": 100},
            "limits": {"groups-per-interface": 5, "rules-per-group": 50},
            "accounts": [
                {
                    "id": "account-guard",
                    "key_id": ENV["HUAWEICLOUD_SDK_AK"],
                    "secret": ENV["HUAWEICLOUD_SDK_SK"],
                    "token": ENV["HUAWEICLOUD_SDK_SECURITY_TOKEN"],
                    "user": PASSWORD_ENV["OS_USERNAME"],
                    "password": PASSWORD_ENV["OS_PASSWORD"],
                    "domain": PASSWORD_ENV["OS_DOMAIN_NAME"],
                    "projects": [PROJECT],
                    "project_names": {PROJECT: REGION},
                }
            ],
            "groups": [
                {
                    "id": DEFAULT,
                    "name": "default",
                    "default": True,
                    "rules": [
                        _rule("ingress", peer_group=DEFAULT, protocol="any", ports="any"),
                    ],
                },
                {"id": REFERENCED, "name": "database"},
                {
                    "id": REFERRER_IN,
                    "name": "web",
                    "rules": [
                        _rule("ingress", peer_group=REFERENCED, ports="5432", id="r-in"),
                        _rule("ingress", cidr="10.0.0.0/8", ports="22,3389,80"),
                    ],
                },
                {
                    "id": REFERRER_OUT,
                    "name": "batch",
                    "rules": [
                        _rule("egress", peer_group=REFERENCED, ports="5432-5433"),
                    ],
                },
                {
                    "id": SELF_REFERENCING,
                    "name": "mesh",
                    "rules": [
                        _rule("ingress", peer_group=SELF_REFERENCING),
                    ],
                },
                {"id": BOUND, "name": "sg-test", "tags": {"owner": "team"}},
                {"id": FREE, "name": "sg-not-attached"},
                {"id": ON_DATABASE, "name": "rds"},
                {"id": ON_SUPPLEMENTARY, "name": "pods"},
                {
                    "id": DENIED_AND_DISABLED,
                    "name": "strict",
                    "rules": [
                        _rule("ingress", peer_group=ON_DATABASE, action="drop"),
                        _rule("ingress", peer_group=ON_SUPPLEMENTARY, enabled=False),
                    ],
                },
            ],
            "instances": [
                {"id": SERVER, "name": "web-1", "network": "vpc-1"},
                {"id": OTHER_SERVER, "name": "web-2", "network": "vpc-1"},
            ],
            "interfaces": [
                {"id": PORT, "instance": SERVER, "groups": [BOUND]},
                {
                    "id": "7b0f7d2e-8f5b-4c7d-9a55-1f2e3d4c5b6a",
                    "instance": OTHER_SERVER,
                    "groups": [DEFAULT],
                },
                {
                    "id": SECOND_PORT,
                    "instance": OTHER_SERVER,
                    "kind": "secondary",
                    "groups": [DEFAULT, BOUND],
                },
                {
                    "id": SUPPLEMENTARY,
                    "instance": OTHER_SERVER,
                    "kind": "supplementary",
                    "groups": [ON_SUPPLEMENTARY],
                },
            ],
            "attachments": [
                {"id": "rds-instance-1", "kind": "rds", "name": "orders", "groups": [ON_DATABASE]}
            ],
        }
    ]
}

WORLD = World(
    provider="huawei",
    region=REGION,
    env=ENV,
    wrong_secret_env={**ENV, "HUAWEICLOUD_SDK_SK": "somethingElse"},
    scenario=SCENARIO,
    referenced=REFERENCED,
    referrer_in=REFERRER_IN,
    referrer_out=REFERRER_OUT,
    self_referencing=SELF_REFERENCING,
    bound=BOUND,
    server=SERVER,
    other_server=OTHER_SERVER,
    free=FREE,
    default=DEFAULT,
    missing="ffffffff-0000-4000-8000-000000000000",
    malformed="sg-5ua9adfv",
    missing_server="ffffffff-0000-4000-8000-000000000001",
    denied_references="GET /v3/{project_id}/vpc/security-group-rules",
)
