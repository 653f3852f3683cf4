"""State changes of instances in the envelope of EventBridge."""

from __future__ import annotations

from typing import Any

from sgguard.model.occurrence import Happened
from tests.events.samples import About, Samples
from tests.events.samples.alibaba_actiontrail import time_of


def event(about: About, state: str = "Running", **more: Any) -> Any:
    return {
        "id": about.operation,
        "source": "acs.ecs",
        "specversion": "1.0",
        "type": "ecs:Instance:StateChange",
        "datacontenttype": "application/json;charset=utf-8",
        "time": time_of(about),
        "aliyunaccountid": "1234567890123456",
        "aliyuneventbusname": "default",
        "aliyunregionid": about.region,
        "data": {
            "resourceId": about.instance,
            "resourceType": "ALIYUN::ECS::Instance",
            "state": state,
        },
        **more,
    }


EXAMPLE = About("sg-bp67acfmxazb4p", "i-bp12uqx3r5o21mj0trru", "cn-hangzhou")

SAMPLES = Samples(
    made={Happened.BOUND: event},
    example=EXAMPLE,
    needed=("/data", "/data/resourceId", "/data/state", "/time", "/aliyunregionid", "/id"),
    irrelevant=(
        event(EXAMPLE, "Stopped"),
        event(EXAMPLE, type="ecs:Instance:SystemFailure.Delete"),
    ),
    kept=("/aliyunaccountid",),
)
