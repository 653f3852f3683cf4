"""What is peculiar to single sources: units of time, places of groups, pairs of traces."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest

from sgguard import events
from sgguard.errors import EventError
from sgguard.events import moment, request
from sgguard.events.base import Kind
from sgguard.model.occurrence import Happened
from sgguard.render.language.sentence import whole_english
from tests.effort import cpu_s, megabyte_s
from tests.events.samples import (
    AT_S,
    EVERYTHING,
    JSON_HEADERS,
    alibaba_actiontrail,
    huawei_cts,
    made,
    openstack_oslo,
    read,
    tencent_cloudaudit,
    told,
)

DELETES = Kind("delete_request", "sgguard.delete.requested.v1", takes=frozenset(Happened))

TENCENT = tencent_cloudaudit.EXAMPLE
ALIBABA = alibaba_actiontrail.EXAMPLE
HUAWEI = huawei_cts.EXAMPLE
OPENSTACK = openstack_oslo.EXAMPLE


# -- times -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        1790000000,
        1790000000000,
        1790000000000000,
        "1790000000",
        "1790000000000",
        1790000000.0,
        "2026-09-21T14:13:20Z",
        "2026-09-21T14:13:20.000Z",
        "2026-09-21T22:13:20+08:00",
        "2026-09-21 14:13:20.000000",
        "2026-09-21T14:13:20",
        "20260921T221320.000+0800",
        "2026/09/21 22:13:20 GMT+08:00",
    ],
)
def test_a_moment_is_the_same_in_every_spelling(value):
    assert moment.seconds(value, UTC) == AT_S


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1,
        12,
        10**9 - 10**8,
        float("nan"),
        float("inf"),
        "",
        "now",
        "2026-13-01T00:00:00Z",
        "2026-09-21",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2026-09-21T14:13:20+99:00",
        [AT_S],
        {},
        "٢٠٢٦-09-21T14:13:20Z",
    ],
    ids=str,
)
def test_what_is_no_moment_of_this_century_is_none(value):
    assert moment.seconds(value, UTC) is None


def test_a_text_without_a_zone_is_in_the_zone_of_its_cloud():
    beijing = timezone(timedelta(hours=8))
    assert moment.seconds("2026-09-21 22:13:20", beijing) == AT_S


# -- Tencent ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ApiCall", "ConsoleCall", "MiniProgramCall"])
@pytest.mark.parametrize("unit", [1, 1000], ids=["seconds", "milliseconds"])
def test_a_call_of_tencent_is_read_of_every_type_and_unit(kind, unit):
    event = made("tencent_cloudaudit", Happened.DELETED)
    event |= {"type": f"vpc:CloudEvent:{kind}", "time": str(AT_S * unit), "specversion": "0"}
    event["data"]["eventTime"] = AT_S * unit
    found = told(event)
    assert (found.happened, found.at_s) == (Happened.DELETED, AT_S)


@pytest.mark.parametrize("no_error", [0, "0", "", None])
@pytest.mark.parametrize("key", ["errorCode", "apiErrorCode"])
def test_no_error_of_tencent_is_spelt_in_four_ways(key, no_error):
    event = made("tencent_cloudaudit", Happened.DELETED)
    event["data"][key] = no_error
    assert told(event).happened is Happened.DELETED


@pytest.mark.parametrize("code", ["ResourceInUse", 4102, "4102", "UnauthorizedOperation"])
@pytest.mark.parametrize("key", ["errorCode", "apiErrorCode"])
def test_an_error_of_tencent_is_one_in_either_field(key, code):
    event = made("tencent_cloudaudit", Happened.DELETED)
    event["data"][key] = code
    found = told(event)
    assert (found.happened, found.code) == (Happened.DELETE_REFUSED, str(code))
    assert found.is_in_use is (code == "ResourceInUse")


@pytest.mark.parametrize(
    "asked",
    [
        {"SecurityGroupId": "sg-5ua9adfv"},
        {"sgId": "sg-5ua9adfv", "forced": "0", "Action": "DeleteSecurityGroup"},
    ],
    ids=["3.0", "2.0"],
)
@pytest.mark.parametrize("is_text", [True, False])
def test_the_group_of_tencent_is_found_in_both_apis(asked, is_text):
    event = made("tencent_cloudaudit", Happened.DELETED)
    event["data"]["requestParameters"] = json.dumps(asked) if is_text else asked
    event["data"]["resourceName"] = ""
    assert told(event).groups == ("sg-5ua9adfv",)


def test_a_delete_of_tencent_whose_parameters_are_broken_is_read_by_its_resource():
    event = made("tencent_cloudaudit", Happened.DELETED)
    event["data"] |= {"requestParameters": '{"Sec', "resourceName": "sg-5ua9adfv"}
    assert told(event).groups == ("sg-5ua9adfv",)
    event["data"]["resourceName"] = ""
    with pytest.raises(EventError) as refused:
        read(event)
    assert refused.value.problems[0].path == "/data/requestParameters"


def test_a_batch_of_tencent_is_read_in_its_wrapping():
    event = made("tencent_cloudaudit", Happened.DELETED)
    found = read({"EventList": [event, event]})
    assert [one.pointer for one in found.items] == ["/EventList/0", "/EventList/1"]


# -- Alibaba ---------------------------------------------------------------------------------------

GROUP, OTHER = "sg-bp67acfmxazb4p", "sg-bp67acfmxazb4q"


@pytest.mark.parametrize(
    ("asked", "groups"),
    [
        ({"SecurityGroupId": GROUP}, (GROUP,)),
        ({"SecurityGroupIds.1": GROUP, "SecurityGroupIds.2": OTHER}, (GROUP, OTHER)),
        ({"NetworkInterface.1.SecurityGroupId": GROUP}, (GROUP,)),
        ({"NetworkInterface.2.SecurityGroupIds.1": GROUP}, (GROUP,)),
        ({"NetworkInterface": [{"SecurityGroupIds": [GROUP, OTHER]}]}, (GROUP, OTHER)),
        ({"SecurityGroupIds": [GROUP, OTHER]}, (GROUP, OTHER)),
        ({"SecurityGroupIds": json.dumps([GROUP, OTHER])}, (GROUP, OTHER)),
        ({"SecurityGroupIds": [GROUP, GROUP]}, (GROUP,)),
        ({"SecurityGroupId": "not a group", "Description": GROUP}, ()),
    ],
)
def test_the_groups_of_alibaba_are_found_wherever_a_request_carries_them(asked, groups):
    answered = {"InstanceIdSets": {"InstanceIdSet": [ALIBABA.instance]}}
    event = alibaba_actiontrail.event(ALIBABA, "RunInstances", asked, responseElements=answered)
    assert told(event).groups == groups


def test_all_instances_of_a_launch_of_alibaba_are_told():
    launched = [f"i-bp{number:018}" for number in range(3)]
    answered = {"InstanceIdSets": {"InstanceIdSet": launched}}
    event = alibaba_actiontrail.event(ALIBABA, "RunInstances", {}, responseElements=answered)
    assert told(event).instances == tuple(launched)


@pytest.mark.parametrize("kind", ["ApiCall", "ConsoleOperation", "AliyunServiceEvent"])
def test_a_call_of_alibaba_is_read_of_every_type(kind):
    event = made("alibaba_actiontrail", Happened.DELETED)
    event["type"] = f"ecs:ActionTrail:{kind}"
    assert told(event).happened is Happened.DELETED


def test_a_record_of_alibaba_is_read_without_its_envelope():
    event = made("alibaba_actiontrail", Happened.DELETED)
    assert told(event["data"]) == told(event)


def test_a_notification_of_cloudmonitor_is_read():
    found = told(
        {
            "ver": "1.0",
            "id": "2256A988-0B26-4E2B-820A-8A0000000000",
            "product": "ECS",
            "resourceId": "acs:ecs:cn-hangzhou:1234567890123456:instance/i-bp12uqx3r5o21mj0trru",
            "level": "INFO",
            "name": "Instance:StateChange",
            "userId": "1234567890123456",
            "eventTime": "20260921T221320.000+0800",
            "regionId": "cn-hangzhou",
            "content": {"resourceId": "i-bp12uqx3r5o21mj0trru", "state": "Created"},
        }
    )
    assert (found.happened, found.at_s) == (Happened.BOUND, AT_S)


# -- Huawei ----------------------------------------------------------------------------------------


def test_of_the_two_traces_of_a_job_the_result_is_judged():
    job = {"job_id": "4010b39d58b855980158b8574b270018"}
    asked = huawei_cts.event(HUAWEI, "createServer", "ECS", response=job)
    assert told(asked).happened is Happened.IRRELEVANT
    done = made("huawei_cts", Happened.BOUND)
    other = made("huawei_cts", Happened.BOUND)
    other["cts"] |= {"trace_id": "another", "time": (AT_S + 60) * 1000}
    assert told(done).operation == told(other).operation == job["job_id"]


@pytest.mark.parametrize(
    ("rating", "answered", "code", "is_in_use"),
    [
        ("normal", "", "", False),
        ("normal", {}, "", False),
        ("warning", "", "warning", False),
        ("incident", {}, "incident", False),
        ("normal", {"code": "VPC.0602"}, "VPC.0602", False),
        ("warning", {"error_code": "VPC.9902"}, "VPC.9902", True),
        ("warning", json.dumps({"code": "VPC.9902"}), "VPC.9902", True),
        (
            "warning",
            {
                "code": "VPC.0602",
                "message": json.dumps({"NeutronError": {"type": "SecurityGroupInUse"}}),
            },
            "SecurityGroupInUse",
            True,
        ),
        (
            "warning",
            {"NeutronError": {"type": "PolicyNotAuthorized"}},
            "PolicyNotAuthorized",
            False,
        ),
    ],
)
def test_whether_a_delete_of_huawei_was_refused_and_why(rating, answered, code, is_in_use):
    event = huawei_cts.event(HUAWEI, "deleteSecurity-group", trace_rating=rating, response=answered)
    found = told(event)
    assert found.happened is (Happened.DELETE_REFUSED if code else Happened.DELETED)
    assert (found.code, found.is_in_use) == (code, is_in_use)


@pytest.mark.parametrize(
    "name", ["deleteSecurity-group", "deleteSecurityGroup", "DELETE_SECURITY_GROUP"]
)
def test_an_operation_of_huawei_is_known_in_every_spelling(name):
    assert told(huawei_cts.event(HUAWEI, name)).happened is Happened.DELETED


@pytest.mark.parametrize("kind", ["Notification", "notification"])
def test_a_trace_in_a_message_of_smn_has_the_region_of_its_topic(kind):
    trace = made("huawei_cts", Happened.DELETED)["cts"]
    message = {
        "topic_urn": "urn:smn:eu-de:0970dd7a:cts",
        "message_id": "a51671f77d4a479cacb09e2cd591a983",
        "type": kind,
        "message": json.dumps(trace),
        "signature": "a signature",
    }
    found = told(message)
    assert (found.happened, found.region) == (Happened.DELETED, "eu-de")


def test_a_subscription_that_waits_to_be_confirmed_is_left_to_an_operator():
    message = {
        "topic_urn": "urn:smn:eu-de:0970dd7a:cts",
        "message_id": "a51671f77d4a479cacb09e2cd591a983",
        "type": "SubscriptionConfirmation",
        "message": "You are invited to subscribe …",
        "subscribe_url": "https://console.example/confirm?token=secret",
    }
    found = told(message)
    assert found.happened is Happened.IRRELEVANT
    assert "an operator confirms" in whole_english(found.reason)


# -- OpenStack -------------------------------------------------------------------------------------


def test_a_bulk_call_tells_of_every_port_and_each_is_an_operation():
    ports = [openstack_oslo.port(OPENSTACK, device_id=f"server-{number}") for number in range(3)]
    event = openstack_oslo.event(OPENSTACK, "port.create.end", {"ports": ports})
    found = [request.occurrence(one.data) for one in read(event).items]
    assert [one.instances for one in found] == [("server-0",), ("server-1",), ("server-2",)]
    assert len({one.operation for one in found}) == 3


def test_bulk_rules_tell_every_group_once():
    rules = [{"id": str(n), "security_group_id": f"group-{n % 2}"} for n in range(4)]
    event = openstack_oslo.event(
        OPENSTACK, "security_group_rule.create.end", {"security_group_rules": rules}
    )
    assert told(event).groups == ("group-0", "group-1")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda event: {"topic": "notifications.info", "key": None, "headers": [], "value": event},
        lambda event: {"topic": "notifications.info", "value": json.dumps(event)},
        lambda event: {"routing_key": "notifications.info", "body": event, "exchange": "openstack"},
        lambda event: {
            "routing_key": "dead",
            "properties": {"headers": {"x-death": [{"reason": "rejected", "count": 3}]}},
            "body": json.dumps(event),
        },
        lambda event: {
            "specversion": "1.0",
            "id": "partition:0/offset:7",
            "source": "/apis/v1/namespaces/sgguard/kafkasources/notifications#notifications.info",
            "type": "dev.knative.kafka.event",
            "data": event,
        },
        lambda event: json.loads(event["oslo.message"]),
        lambda event: {**event, "oslo.message": json.loads(event["oslo.message"])},
    ],
    ids=["kafka", "kafka-text", "rabbit", "dead-letter", "knative", "bare", "object"],
)
def test_a_notification_is_the_same_in_every_wrapping(wrap):
    event = made("openstack_oslo", Happened.DELETED)
    assert told(wrap(event)) == told(event)


@pytest.mark.parametrize("owner", ["project_id", "tenant_id"])
def test_the_owner_of_a_port_is_told_by_old_and_new_clouds(owner):
    port = openstack_oslo.port(OPENSTACK)
    del port["tenant_id"]
    port[owner] = "c8f1820c52ab4d5f8b1c0d3f5a9e7b61"
    found = told(openstack_oslo.event(OPENSTACK, "port.update.end", {"port": port}))
    assert found.owner == "c8f1820c52ab4d5f8b1c0d3f5a9e7b61"


def test_a_deleted_rule_of_an_old_cloud_tells_no_group():
    event = openstack_oslo.event(
        OPENSTACK, "security_group_rule.delete.end", {"security_group_rule_id": "r1"}
    )
    found: Any = told(event)
    assert (found.happened, found.groups) == (Happened.CHANGED, ())


# -- who asked -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "requester"),
    [
        ({"userName": "alice"}, "alice"),
        ({"userName": "", "principalId": "2000"}, "2000"),
        ({"userName": "ali\u200bce", "principalId": "2000"}, "2000"),
        ({"userName": "\u0430lice", "principalId": 2000}, "2000"),
        ({"userName": "x" * 200, "accountId": "100000000001"}, "100000000001"),
        ({}, ""),
    ],
)
def test_the_requester_is_the_first_name_that_can_be_shown(names, requester):
    event = made("tencent_cloudaudit", Happened.DELETED)
    event["data"]["userIdentity"] = names
    assert told(event).requester == requester


def test_a_name_that_cannot_be_shown_is_not_left_out():
    # A requester that is not known could approve what they asked for.
    event = made("tencent_cloudaudit", Happened.DELETED)
    event["data"]["userIdentity"] = {"userName": "ali\u200bce"}
    assert told(event).requester.startswith("unreadable name ")


def test_an_id_that_is_no_plain_id_is_kept_as_its_hash():
    event = made("tencent_cloudaudit", Happened.DELETED)
    event["data"]["requestID"] = "15936031437374_1553056587.6815_v2"
    assert told(event).operation.startswith("sha256:")


# -- size ------------------------------------------------------------------------------------------

MEGABYTES = {
    "empty objects": b"[" + b"{}," * 349_000 + b"{}]",
    "lists in lists": b"[" + b"[{}]," * 209_000 + b"{}]",
    "numbers": b'{"events":[' + b"1," * 524_000 + b"1]}",
    "lists in texts": json.dumps(
        {
            **tencent_cloudaudit.record(TENCENT, "DeleteSecurityGroup", {}),
            "requestParameters": {"SecurityGroupIds": ["[" + "1," * 40 + "1]"] * 10_000},
        }
    ).encode(),
    "ports": json.dumps(
        openstack_oslo.notification(OPENSTACK, "port.create.end", {"ports": [{}] * 200_000})
    ).encode(),
}


@pytest.mark.slow
@pytest.mark.parametrize("body", MEGABYTES.values(), ids=MEGABYTES)
def test_the_cost_of_a_megabyte_of_nonsense_does_not_grow_with_its_square(body):
    read(made("timer", Happened.DUE))  # what is imported at first use is not the body's cost

    def refused_or_read() -> None:
        for kind in (EVERYTHING, DELETES):
            with suppress(EventError):
                events.read(JSON_HEADERS, body, kind)

    # Both kinds together cost some forty times as much; a cost that is quadratic, thousands.
    assert cpu_s(refused_or_read, 1) < 200 * megabyte_s()
