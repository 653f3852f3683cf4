"""What a reader of a page does beside its commands: values in the place of dots, and edits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.deploy.readme import FIRST

Edit = Callable[[str], str]


@dataclass(frozen=True)
class Page:
    """One way to the first decision.

    ``values`` stand where the page has ``NAME=…`` or a text in angle brackets. ``edits`` are of
    files beside the page, made before its commands. ``own`` are variables of the reader's shell,
    whose values are variables of the clouds. ``console`` is a runtime whose function is made by
    hand from an artifact, after the block before the last.
    """

    folder: str
    section: str = FIRST
    values: Mapping[str, str] = field(default_factory=dict)
    edits: Mapping[str, Edit] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)
    has_caller: str = ""
    has_edge: bool = False
    has_certificate: bool = False
    console: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    builds: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ("3.11",)
    needs: tuple[str, ...] = ()


def _as_event_function(text: str) -> str:
    """``s.yaml`` as its page says that it is for event functions."""
    text = text.replace("runtime: custom.debian12", "runtime: python3.12")
    text = re.sub(r"(?m)^ +customRuntimeConfig:\n +command:\n +- .*\n +port: .*\n", "", text)
    return re.sub(r"(?m)^( +)(runtime: .*)$", r"\1\2\n\1handler: index.handler", text)


_TENCENT_KEYS = {
    "TENCENTCLOUD_SECRET_ID": "TENCENTCLOUD_SECRET_ID",
    "TENCENTCLOUD_SECRET_KEY": "TENCENTCLOUD_SECRET_KEY",
}
_HUAWEI_PROJECT = "HUAWEICLOUD_SDK_PROJECT_ID"
_HUAWEI_GROUP = "11111111-aaaa-4aaa-8aaa-000000000002"
_OPENSTACK = (
    *("OS_AUTH_URL", "OS_REGION_NAME", "OS_USERNAME", "OS_PASSWORD", "OS_PROJECT_NAME"),
    *("OS_USER_DOMAIN_NAME", "OS_PROJECT_DOMAIN_NAME"),
)

PAGES = {
    "tencent-scf": Page(
        "tencent-scf",
        builds=("tencent-scf-event",),
        values={"uin": "100000000001", "event_bus_id": "eb-1"},
    ),
    "tencent-scf web": Page(
        "tencent-scf",
        "## As a web function",
        builds=("tencent-scf-web",),
        has_caller="../container/policy.toml",
        has_edge=True,
        console=("tencent-scf-web", "delete_request.zip", "SGGUARD_DEADLINE_S=25"),
        own={"URL": "https://service.scf.example/"},
    ),
    "alibaba-fc": Page("alibaba-fc", builds=("alibaba-fc-custom",)),
    "alibaba-fc event": Page(
        "alibaba-fc",
        "## As event functions",
        builds=("alibaba-fc-event",),
        edits={"s.yaml": _as_event_function},
        pythons=("3.11", "3.12"),
    ),
    "huawei-functiongraph": Page(
        "huawei-functiongraph",
        builds=("huawei-functiongraph-event",),
        values={"project_id": f"${_HUAWEI_PROJECT}", "<id of a group>": _HUAWEI_GROUP},
        has_edge=True,
        own={
            "PROJECT": f"${_HUAWEI_PROJECT}",
            "URN": "urn:fss:cn-north-4:e7:function:default:sgguard-delete-request",
            "TOKEN": "a-token-of-iam",
        },
        pythons=("3.11", "3.12"),
    ),
    "huawei-functiongraph http": Page(
        "huawei-functiongraph",
        "## Behind APIG",
        builds=("huawei-functiongraph-http",),
        values={"<id of a group>": _HUAWEI_GROUP},
        has_caller="../container/policy.toml",
        has_edge=True,
        console=(
            "huawei-functiongraph-http",
            "delete_request.zip",
            "SGGUARD_DEADLINE_S=25",
            f"{_HUAWEI_PROJECT}=${_HUAWEI_PROJECT}",
        ),
        own={"URL": "https://apig.example/"},
        pythons=("3.11", "3.12"),
    ),
    "google-cloud-run": Page(
        "google-cloud-run",
        builds=("google-cloud-run",),
        values={"PROJECT": "guard-1", "REGION": "europe-west1"},
        own={"KEY_ID": "$TENCENTCLOUD_SECRET_ID", "KEY": "$TENCENTCLOUD_SECRET_KEY"},
        pythons=("3.11", "3.12"),
    ),
    "container": Page(
        "container",
        builds=("oci",),
        has_caller="policy.toml",
        own={name: f"${other}" for name, other in _TENCENT_KEYS.items()},
    ),
    "knative": Page(
        "knative",
        builds=("oci",),
        extras=("jwt", "postgres"),
        has_edge=True,
        files={"openstack.env": "".join(f"{name}=${name}\n" for name in _OPENSTACK)},
        needs=("kubectl",),
    ),
    "systemd": Page(
        "systemd",
        builds=("linux",),
        values={name: f"${name}" for name in _TENCENT_KEYS},
        has_caller="policy.toml",
        has_certificate=True,
    ),
}
