"""Events that others recorded or documented: each is read by the right source, or refused rightly.

The files lie beside the checkout and are not part of it; without them these tests are skipped.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sgguard.errors import EventError
from sgguard.events import request
from sgguard.model.occurrence import Happened
from tests.events.samples import read, told
from tests.reference import FIXTURES

FOLDER = FIXTURES / "events"
OF_CLOUDS = ("alibaba", "composed", "huawei", "kafka", "openstack", "tencent")

# (source, what happened), or the place of the first problem of a refusal.
EXPECTED: dict[str, Any] = {
    "alibaba/actiontrail_deletedisk_system_identity": ("alibaba-actiontrail", "irrelevant"),
    "alibaba/actiontrail_describeinstances_read": ("alibaba-actiontrail", "irrelevant"),
    "alibaba/actiontrail_updatetrail_console_user": "/eventName",
    "alibaba/eventbridge_actiontrail_runinstances_console_composed": (
        "alibaba-actiontrail",
        "bound",
    ),
    "alibaba/eventbridge_mns_envelope_documented": ("alibaba-actiontrail", "irrelevant"),
    "alibaba/fc_event_template_http": "",
    "alibaba/fc_event_template_mns_stream": "",
    "alibaba/fc_event_template_mns_with_messageattributes": "",
    "alibaba/fc_event_template_mns_without_messageattributes": "",
    "alibaba/fc_event_template_oss": "/events/0",
    "alibaba/fc_event_template_sls": "",
    "alibaba/fc_event_template_tablestore": "",
    "composed/alibaba_deletesecuritygroup_refused": ("alibaba-actiontrail", "delete-refused"),
    "composed/huawei_deletesecurity_group_refused": ("huawei-cts", "delete-refused"),
    "composed/tencent_deletesecuritygroup_done": ("tencent-cloudaudit", "deleted"),
    "composed/tencent_deletesecuritygroup_refused": ("tencent-cloudaudit", "delete-refused"),
    "huawei/cts_trace_ecs_createSingleServer_job_normal": ("huawei-cts", "bound"),
    "huawei/cts_trace_request_and_response_empty_strings": ("huawei-cts", "irrelevant"),
    "huawei/eventgrid_published_events_wrapper": ("huawei-cts", "irrelevant"),
    "huawei/eventgrid_single_cloudevent_obs": ("huawei-cts", "irrelevant"),
    "huawei/fg_apig_base64_event_trigger": "",
    "huawei/fg_apig_event_trigger": "",
    "huawei/fg_cts_trigger_refused_delete_wrapped": ("huawei-cts", "irrelevant"),
    "huawei/fg_cts_trigger_template_seconds": ("huawei-cts", "irrelevant"),
    "huawei/fg_kafka_trigger": "/records/0/messages/0",
    "huawei/fg_lts_event_trigger": "",
    "huawei/fg_smn_event_2_trigger": "/record/0/smn/message",
    "huawei/fg_smn_event_trigger": "/record/0/smn/message",
    "huawei/fg_timer_event_trigger": ("timer", "due"),
    "kafka/cloudevent_binary_mode_as_consumed": "/value",
    "tencent/cloudaudit_describeevents_response_0": ("tencent-cloudaudit", "irrelevant"),
    "tencent/cloudaudit_lookupevents_response_0": "/Response/Events/0/CloudAuditEvent",
    "tencent/cloudaudit_record_CreateAuditTrack_describeevents_0_0": (
        "tencent-cloudaudit",
        "irrelevant",
    ),
    "tencent/cloudaudit_record_lookupevents_2021_excerpt": ("tencent-cloudaudit", "irrelevant"),
    "tencent/eventbridge_cloudaudit_composed": ("tencent-cloudaudit", "irrelevant"),
    "tencent/eventbridge_envelope_time_string": ("tencent-cloudaudit", "irrelevant"),
    "tencent/eventbridge_platform_event_template_time_seconds": (
        "tencent-cloudaudit",
        "irrelevant",
    ),
}
# Notifications of OpenStack that tell something; all others concern nobody.
OPENSTACK = {
    "legacy_2012_port_create_end_no_security_groups_key": "bound",
    "legacy_nova_compute_instance_create_end": "bound",
    "legacy_nova_compute_instance_create_end_2": "bound",
    "nova_versioned_instance_create_end": "bound",
    "nova_versioned_instance_interface_attach_end": "bound",
    "port_create_end_instance_port_secured": "bound",
    "port_update_end_documented_2026_no_security_groups_key": "bound",
    "rule_create_end_protocol_is_a_number": "changed",
    "rule_create_end_remote_group": "changed",
    "rule_create_end_ssh_open_to_world": "changed",
    "wire_kafka_oslo_messaging_18_3_1": "deleted",
    "wire_rabbitmq_oslo_messaging_18_3_1": "deleted",
}


def files() -> list[Path]:
    return sorted(one for folder in OF_CLOUDS for one in (FOLDER / folder).glob("*.json"))


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def expected(path: Path) -> Any:
    if path.parent.name == "openstack":
        return ("openstack-oslo", OPENSTACK.get(path.stem, "irrelevant"))
    return EXPECTED[name(path)]


def recorded(stem: str) -> Any:
    path = FOLDER / f"{stem}.json"
    if not path.exists():
        pytest.skip("the recorded events are not here")
    return json.loads(path.read_text())


def outcome(path: Path) -> Any:
    """What a file tells, or where it is refused."""
    try:
        items = read(path.read_bytes()).items
    except EventError as error:
        items = (error,)
    first = items[0]
    if isinstance(first, EventError):
        return first.problems[0].path
    one = request.occurrence(first.data)
    return (one.source, one.happened.value)


@pytest.mark.skipif(not files(), reason="the recorded events are not here")
@pytest.mark.parametrize("path", files(), ids=name)
def test_a_recorded_event_is_read_by_its_source_or_refused_where_it_is_wrong(path):
    assert outcome(path) == expected(path)


@pytest.mark.skipif(not files(), reason="the recorded events are not here")
@pytest.mark.parametrize("path", files(), ids=name)
def test_no_mark_of_a_credential_in_a_recording_is_kept(path):
    try:
        kept = "".join(str(one) for one in read(path.read_bytes()).items)
    except EventError as error:
        kept = f"{error} {error.problems}"
    assert "scrubbed" not in kept
    assert "Signature" not in kept


def test_the_group_of_a_console_launch_is_found_in_its_network_interface():
    stem = "alibaba/eventbridge_actiontrail_runinstances_console_composed"
    found = told(recorded(stem))
    assert found.groups == ("sg-bp19xclfrq0xuz3xnkob",)
    assert found.instances == ("i-bp12uqx3r5o21mj0trru",)


def test_whose_a_port_is_says_the_port_and_not_the_context():
    document = recorded("openstack/port_create_end_instance_port_secured")
    found = told(document)
    assert found.owner == document["payload"]["port"]["tenant_id"]
    assert found.owner != document["_context_project_id"]
    assert found.requester == ""


def test_a_status_of_200_beside_a_bad_rating_is_no_success():
    document = recorded("huawei/fg_cts_trigger_refused_delete_wrapped")
    document["cts"] |= {
        "trace_name": "deleteSecurity-group",
        "resource_type": "security_groups",
    }
    found = told(document)
    assert document["cts"]["code"] == 200
    assert found.happened is Happened.DELETE_REFUSED
    assert found.code == "VPC.0514"
