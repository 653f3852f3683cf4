"""ActionTrail records in the envelope of EventBridge."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sgguard.model.occurrence import Happened
from tests.events.samples import About, Samples


def time_of(about: About) -> str:
    return datetime.fromtimestamp(about.at_s, UTC).isoformat().replace("+00:00", "Z")


def event(about: About, name: str, asked: Any, **more: Any) -> Any:
    return {
        "id": "45ef4dewdwe1-7c35-447a-bd93-fab0",
        "source": "acs.ecs",
        "specversion": "1.0",
        "type": "ecs:ActionTrail:ConsoleOperation",
        "datacontenttype": "application/json;charset=utf-8",
        "subject": f"acs.ecs:{about.region}:1234567890123456:{about.instance}",
        "time": time_of(about),
        "aliyunaccountid": "1234567890123456",
        "aliyunpublishtime": "2025-07-07T01:39:10.179PRC",
        "aliyuneventbusname": "default",
        "aliyunregionid": about.region,
        "data": {
            "acsRegion": about.region,
            "eventId": about.operation,
            "eventName": name,
            "eventRW": "Write",
            "eventSource": "ecs-cn-hangzhou-share.aliyuncs.com",
            "eventTime": time_of(about),
            "eventType": "ConsoleOperation",
            "eventVersion": "1",
            "requestId": about.operation,
            "requestParameters": {"RegionId": about.region, "Tags": [], **asked},
            "serviceName": "Ecs",
            "userIdentity": {
                "type": "ram-user",
                "accountId": "1234567890123456",
                "principalId": "2000",
                "userName": "alice",
                "accessKeyId": "an access key",
                "sessionContext": {"attributes": {"mfaAuthenticated": "true"}},
            },
            **more,
        },
    }


def _launched(about: About) -> Any:
    asked = {
        "NetworkInterface.1.SecurityGroupId": about.group,
        "Password": "a secret password",
        "UserData": "a secret start-up script",
    }
    answered = {"InstanceIdSets": {"InstanceIdSet": [about.instance]}}
    return event(about, "RunInstances", asked, responseElements=answered)


def _refused(about: About) -> Any:
    code = about.code or "DependencyViolation"
    asked = {"SecurityGroupId": about.group}
    return event(about, "DeleteSecurityGroup", asked, errorCode=code, errorMessage="There is …")


EXAMPLE = About("sg-bp67acfmxazb4p", "i-bp12uqx3r5o21mj0trru", "cn-hangzhou")

SAMPLES = Samples(
    made={
        Happened.DELETE_REFUSED: _refused,
        Happened.DELETED: lambda about: event(
            about, "DeleteSecurityGroup", {"SecurityGroupId": about.group}
        ),
        Happened.BOUND: _launched,
        Happened.CHANGED: lambda about: event(
            about, "AuthorizeSecurityGroup", {"SecurityGroupId": about.group}
        ),
    },
    example=EXAMPLE,
    needed=(
        "/data",
        "/data/eventName",
        "/data/serviceName",
        "/data/eventTime",
        "/data/acsRegion",
        "/data/userIdentity",
    ),
    irrelevant=(
        event(EXAMPLE, "DeleteDisk", {}),
        event(EXAMPLE, "DescribeInstances", {}),
        event(EXAMPLE, "DeleteSecurityGroup", {}, serviceName="Slb"),
        event(EXAMPLE, "RunInstances", {}, errorCode="DryRunOperation"),
        event(EXAMPLE, "ModifyInstanceAttribute", {"InstanceId": EXAMPLE.instance}),
        {**event(EXAMPLE, "x", {}), "type": "mns:Queue:SendMessage", "source": "acs.mns"},
    ),
    kept=(
        "/data/userIdentity/userName",
        "/data/userIdentity/principalId",
        "/data/userIdentity/accountId",
        "/aliyunaccountid",
    ),
)
