"""CTS traces as the trigger of FunctionGraph hands them over."""

from __future__ import annotations

from typing import Any

from sgguard.model.occurrence import Happened
from tests.events.samples import About, Samples


def event(about: About, name: str, service: str = "VPC", **more: Any) -> Any:
    return {
        "cts": {
            "time": about.at_s * 1000,
            "record_time": about.at_s * 1000 + 500,
            "user": {"name": "alice", "id": "u1", "domain": {"name": "shop", "id": "d1"}},
            "request": "",
            "response": "",
            "code": 200,
            "service_type": service,
            "resource_type": "security_groups" if service == "VPC" else "ecs",
            "resource_name": "web",
            "resource_id": about.group if service == "VPC" else about.instance,
            "trace_name": name,
            "trace_rating": "normal",
            "trace_status": "normal",
            "trace_type": "ApiCall",
            "trace_id": about.operation,
            "source_ip": "198.51.100.7",
            **more,
        }
    }


def _refused(about: About) -> Any:
    answered = {"code": about.code or "VPC.9902", "message": "Security group is in use."}
    return event(about, "deleteSecurity-group", trace_rating="warning", response=answered)


def _launched(about: About) -> Any:
    return event(
        about,
        "createSingleServer",
        "ECS",
        trace_type="SystemAction",
        request={"server": {"adminPass": "a password", "security_groups": [{"id": about.group}]}},
        response={
            "status": "SUCCESS",
            "job_id": "4010b39d58b855980158b8574b270018",
            "entities": {"server_id": about.instance},
        },
    )


EXAMPLE = About(
    "dd597fd7-d119-4994-a22c-891fcfc54be1", "42d39b4a-19b7-4ee2-b01b-a9f1353b4c54", "eu-de"
)

SAMPLES = Samples(
    made={
        Happened.DELETE_REFUSED: _refused,
        Happened.DELETED: lambda about: event(about, "deleteSecurity-group"),
        Happened.BOUND: _launched,
        Happened.CHANGED: lambda about: event(about, "updateSecurity-group"),
    },
    example=EXAMPLE,
    needed=("/cts/trace_name", "/cts/service_type", "/cts/trace_id"),
    irrelevant=(
        event(EXAMPLE, "deleteEip"),
        event(EXAMPLE, "deleteVolume", "EVS"),
        event(EXAMPLE, "createServer", "ECS", trace_rating="warning"),
        event(EXAMPLE, "createServer", "ECS", response={"job_id": "4010b39d58b8559801"}),
        {"id": "1", "specversion": "1.0", "source": "HC.OBS", "type": "object:put", "data": {}},
    ),
    kept=("/cts/user/name", "/cts/user/id"),
)
