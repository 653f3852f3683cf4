"""The samples of the reference documents, and recorded responses of the cloud, byte for byte."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.faces.tencent.usage import PRODUCT_TYPES
from sgguard.emulator.faults import Fault
from sgguard.errors import CloudError
from sgguard.providers.tencent import response as answers
from sgguard.providers.tencent.rule_shape import policy_set
from sgguard.render.language.sentence import whole_english
from sgguard.wire.shape import Shape
from sgguard.wire.tc3 import signature_of
from tests.providers.test_tencent import BIND_ERRORS
from tests.reference import SHARED
from tests.worlds import tencent, tencent_dfw

SEEDS = SHARED / "seeds"
RECORDINGS = SHARED / "fixtures" / "tencent"

needs_seeds = pytest.mark.skipif(not SEEDS.is_dir(), reason=f"no documents in {SEEDS}")
needs_recordings = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason=f"no recordings in {RECORDINGS}"
)


def document(number):
    (path,) = SEEDS.glob(f"{number:03d}_*")
    return path.read_text(encoding="utf-8")


def answering(world, action, body):
    emulator: Emulator = world.emulator()
    emulator.faults.append(
        Fault("garbage", action=action, body=body, content_type="application/json")
    )
    return emulator, world.connect(emulator, attempts=1)


def code_blocks(text):
    return re.findall(r"```\n(.*?)```", text, re.DOTALL)


@needs_seeds
def test_the_sample_answer_about_associates_is_refused_as_an_unknown_shape():
    (sample,) = code_blocks(document(0))
    assert "['sg-exnsygsn']" in sample
    action = "DescribeAssociateSecurityGroups"
    _, provider = answering(tencent_dfw.WORLD, action, sample)
    seen = provider.list_references(["sg-5ua9adfv"])
    assert seen.value == {}
    assert [gap.code for gap in seen.unseen] == ["unknown-shape"]


@needs_seeds
def test_the_sample_answer_about_associates_is_understood_once_it_is_json():
    (sample,) = code_blocks(document(0))
    action = "DescribeAssociateSecurityGroups"
    _, provider = answering(tencent_dfw.WORLD, action, sample.replace("'", '"'))
    references = provider.list_references(["sg-5ua9adfv"]).value["sg-5ua9adfv"]
    assert [r.group_id for r in references] == ["sg-exnsygsn"]


@needs_seeds
@pytest.mark.parametrize(
    ("number", "ask"),
    [
        (0, lambda provider: provider.list_references(["sg-5ua9adfv"])),
        (2, lambda provider: provider.delete_group("sg-c3y9ak17")),
    ],
    ids=["DescribeAssociateSecurityGroups", "DeleteSecurityGroup"],
)
def test_our_request_has_the_parameters_of_the_sample_request(number, ask):
    sample = re.search(r"https://dfw\S+\?(.*?)&<", document(number), re.DOTALL)
    assert sample is not None
    wanted = httpx.QueryParams(re.sub(r"\s", "", sample[1]))
    emulator, provider = answering(
        tencent_dfw.WORLD, wanted["Action"], '{"code": 0, "message": "", "data": {}}'
    )
    ask(provider)
    bodies = [r.body for r in emulator.requests if r.action == wanted["Action"]]
    sent = httpx.QueryParams(bodies[0])
    assert {name: sent[name] for name in wanted} == dict(wanted)


@needs_seeds
def test_the_sample_answer_of_a_delete_is_understood():
    (sample,) = code_blocks(document(2))
    _, provider = answering(tencent_dfw.WORLD, "DeleteSecurityGroup", sample)
    provider.delete_group("sg-c3y9ak17")


@needs_seeds
@pytest.mark.parametrize(
    ("number", "codes"), [(0, {7000, 9003}), (2, {7000, 7001, 7006})], ids=["associates", "delete"]
)
def test_the_codes_of_the_documents_are_errors_of_ours(number, codes):
    text = document(number)
    table = text[text.index("## 4.") : text.index("## 5.")]
    assert {int(code) for code in re.findall(r"<td> (\d{4}) ", table)} == codes
    for code in codes:
        answer = json.dumps({"code": code, "message": ""})
        _, provider = answering(tencent_dfw.WORLD, "*", answer)
        with pytest.raises(CloudError) as caught:
            provider.list_rules("sg-5ua9adfv")
        assert caught.value.code == str(code)


def _sample_binding():
    text = document(4)
    request = text[text.index("Input Example") : text.index("Output Example")]
    answer = text[text.index("Output Example") : text.index("5. Developer")]
    return tuple(part[part.index("{") : part.rindex("}") + 1] for part in (request, answer))


@needs_seeds
def test_a_binding_sends_the_sample_request_and_understands_the_sample_answer():
    request, answer = _sample_binding()
    emulator, provider = answering(tencent.WORLD, "AssociateSecurityGroups", answer)
    both = ["ins-915zrb0p", "ins-2zvpghhc"]
    params = {"SecurityGroupIds": ["sg-9id3l839"], "InstanceIds": both}
    assert provider.api.write("cvm", "AssociateSecurityGroups", params)["RequestId"]
    assert json.loads(emulator.requests[0].body) == json.loads(request)


@needs_seeds
def test_the_sample_request_has_the_signature_of_the_vector():
    request, _ = _sample_binding()
    body = json.dumps(json.loads(request)).encode()
    signed = signature_of(
        httpx.Request(
            "POST",
            "https://cvm.intl.tencentcloudapi.com/",
            headers={"content-type": "application/json"},
            content=body,
        ),
        secret="EXAMPLESECRETKEY0000000000000000",
        timestamp=1700000000,
        service="cvm",
    )
    assert signed == "cffdbec5149790a27b67aa7f467eadbafa3403e4b828d678105fa3d2e6ccd5fd"


@needs_seeds
def test_every_error_code_of_the_binding_document_is_in_the_table_of_the_tests():
    text = document(4)
    table = text[text.index("Error Code Description") :]
    codes = set(re.findall(r"^([A-Z][A-Za-z]+(?:\.[A-Za-z]+)?) [A-Z]", table, re.MULTILINE))
    assert codes - {"Error"} == set(BIND_ERRORS)


# -- recordings ----------------------------------------------------------------------------------


def recorded(action):
    """Return every recorded inner Response of an action."""
    return [
        entry["response"]["Response"]
        for path in sorted(RECORDINGS.glob("*.json"))
        for entry in json.loads(path.read_text(encoding="utf-8"))
        if entry["action"] == action
    ]


def rows(action, key):
    return [row for answer in recorded(action) for row in answer[key]]


@needs_recordings
def test_every_recorded_group_is_read():
    shape = Shape("tencent", "DescribeSecurityGroups")
    read = [answers.group(shape, row) for row in rows(shape.action, "SecurityGroupSet")]
    assert (len(recorded(shape.action)), len(read)) == (6, 15)
    assert {group.project for group in read} == {"0"}
    assert sum(group.is_default for group in read) == 0
    assert ("test_resource", "test_resource") in {tag for group in read for tag in group.tags}


@needs_recordings
def test_every_recorded_rule_is_read():
    shape = Shape("tencent", "DescribeSecurityGroupPolicies")
    read = [policy_set(shape, answer).rules for answer in recorded(shape.action)]
    rules = [rule for one in read for rule in one]
    assert (len(read), len(rules)) == (15, 38)
    assert {rule.protocol for rule in rules} == {"any", "tcp", "icmp", "icmpv6"}
    assert {rule.ports for rule in rules} == {"any", "22", "3389", "80,443"}
    assert {rule.action for rule in rules} == {"accept", "drop"}
    assert not [rule for rule in rules if not rule.peer]
    for one in read:
        assert len({rule.rule_id for rule in one}) == len(one)


@needs_recordings
def test_every_recorded_count_is_read():
    shape = Shape("tencent", "DescribeSecurityGroupAssociationStatistics")
    (answer,) = recorded(shape.action)
    ((group_id, counted),) = answers.statistics(shape, answer).items()
    assert group_id == "sg-jep2pqxk"
    assert (counted.total, counted.groups, len(counted.products)) == (2, 0, 27)
    assert {name for name, count in counted.products.items() if count} == {"CVM"}


@needs_recordings
def test_the_emulated_cloud_counts_the_products_a_recorded_answer_counts():
    (answer,) = recorded("DescribeSecurityGroupAssociationStatistics")
    (row,) = answer["SecurityGroupAssociationStatisticsSet"]
    assert {one["InstanceType"] for one in row["InstanceStatistics"]} == set(PRODUCT_TYPES)
    assert len(PRODUCT_TYPES) == 27


@needs_recordings
def test_every_recorded_instance_is_read():
    shape = Shape("tencent", "DescribeInstances")
    read = [answers.instance(shape, row) for row in rows(shape.action, "InstanceSet")]
    assert (len(recorded(shape.action)), len(read)) == (34, 48)
    assert all(instance.group_ids and instance.network for instance in read)
    refused = {(i.state, i.binding_refusal) for i in read if i.binding_refusal}
    assert {state for state, _ in refused} == {"STARTING", "STOPPING"}
    assert all("OperationDenied" in whole_english(refusal) for _, refusal in refused)


@needs_recordings
def test_the_documented_limits_sample_is_read_and_its_2000_groups_are_not_believed():
    samples = json.loads((RECORDINGS.parent / "errors_from_docs.json").read_text(encoding="utf-8"))
    (sample,) = samples["tencent_samples"]
    _, provider = answering(tencent.WORLD, sample["api"], json.dumps(sample["body"]))
    limits = {limit.name: limit for limit in provider.read_limits().value}
    assert limits["instances-per-group"].ceiling == 2000
    assert limits["instances-per-group"].source == "live"
    assert (limits["groups-per-instance"].ceiling, limits["groups-per-instance"].source) == (
        5,
        "documented",
    )
