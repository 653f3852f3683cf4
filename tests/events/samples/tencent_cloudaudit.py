"""CloudAudit records in the envelope of EventBridge."""

from __future__ import annotations

import json
from typing import Any

from sgguard.model.occurrence import Happened
from tests.events.samples import About, Samples


def record(about: About, name: str, asked: Any, answered: Any = None, **more: Any) -> Any:
    return {
        "userIdentity": {
            "principalId": "200000000001",
            "accountId": "100000000001",
            "secretId": "a secret id",
            "sessionContext": json.dumps({"token": "a token"}),
            "type": "CAMUser",
            "userName": "alice",
        },
        "eventRegion": about.region,
        "eventVersion": 2,
        "errorCode": 0,
        "errorMessage": "permission verify",
        "requestID": about.operation,
        "eventID": about.operation,
        "apiVersion": "3.0",
        "eventType": "ConsoleCall",
        "actionType": "Write",
        "apiErrorCode": about.code or "0",
        "apiErrorMessage": "",
        "eventTime": about.at_s,
        "eventSource": f"vpc.{about.region}.api.tencentyun.com",
        "requestParameters": json.dumps(asked),
        "responseElements": json.dumps(answered or {}),
        "resourceType": "vpc",
        "eventName": name,
        **more,
    }


def event(about: About, name: str, asked: Any, answered: Any = None, **more: Any) -> Any:
    return {
        "specversion": "1.0",
        "id": "13a3f42d-7258-4ada-da6d-023a33000000",
        "source": "vpc.cloud.tencent",
        "type": "vpc:CloudEvent:ConsoleCall",
        "subject": "",
        "time": about.at_s * 1000 + 146,
        "region": about.region,
        "datacontenttype": "application/json;charset=utf-8",
        "data": record(about, name, asked, answered, **more),
    }


def _refused(about: About) -> Any:
    code = about.code or "ResourceInUse"
    asked = {"SecurityGroupId": about.group}
    return event(about, "DeleteSecurityGroup", asked, apiErrorCode=code)


def _launched(about: About) -> Any:
    asked = {"SecurityGroupIds": [about.group], "UserData": "a secret start-up script"}
    return event(about, "RunInstances", asked, {"InstanceIdSet": [about.instance]})


EXAMPLE = About("sg-5ua9adfv", "ins-915zrb0p", "ap-guangzhou")

SAMPLES = Samples(
    made={
        Happened.DELETE_REFUSED: _refused,
        Happened.DELETED: lambda about: event(
            about, "DeleteSecurityGroup", {"SecurityGroupId": about.group}
        ),
        Happened.BOUND: _launched,
        Happened.CHANGED: lambda about: event(
            about, "CreateSecurityGroupPolicies", {"SecurityGroupId": about.group}
        ),
    },
    example=EXAMPLE,
    needed=("/data", "/data/eventName", "/data/eventTime", "/data/eventRegion"),
    irrelevant=(
        event(EXAMPLE, "CreateAuditTrack", {}),
        event(EXAMPLE, "DeleteSecurityGroup", {}, actionType="Read"),
        event(EXAMPLE, "RunInstances", {}, apiErrorCode="LimitExceeded.SingleUSGQuota"),
        event(EXAMPLE, "ModifyInstancesAttribute", {"InstanceIds": ["ins-915zrb0p"]}),
        {**event(EXAMPLE, "x", {}), "type": "cvm:OperationEvent:InstancePowerOff"},
    ),
    kept=(
        "/data/userIdentity/userName",
        "/data/userIdentity/principalId",
        "/data/userIdentity/accountId",
    ),
)
