"""The parsers of both Tencent APIs: any JSON is understood or refused."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.errors import CloudError, UnknownShapeError
from sgguard.providers.tencent import api as tencent_api
from sgguard.providers.tencent import limit as tencent_limit
from sgguard.providers.tencent import response as tencent_answer
from sgguard.providers.tencent.rule_shape import policy_set
from sgguard.providers.tencent_dfw import api as qcloud_api
from sgguard.providers.tencent_dfw import response as qcloud_dfw
from sgguard.wire.shape import Shape
from tests.examples import examples

SHAPE = Shape("tencent", "Action")
ID = "sg-5ua9adfv"
KEYS = (
    "Action",
    "CVM",
    "CDB",
    "CLB",
    "ENI",
    "SG",
    "TotalCount",
    "Egress",
    "Ingress",
    "InstanceStatistics",
    "IsDefault",
    "PolicyIndex",
    "ReferredSecurityGroupIds",
    "ReferredSecurityGroupSet",
    "SecurityGroupAssociationStatisticsSet",
    "SecurityGroupId",
    "SecurityGroupIds",
    "SecurityGroupLimitSet",
    "SecurityGroupPolicySet",
    "InstanceSecurityGroupLimit",
    "data",
    "detail",
    "ingress",
    "egress",
    "sgId",
    "action",
    "code",
    ID,
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3000)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from((ID, "sg-exnsygsn", "ACCEPT", "", "0", "x")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=12,
)
TABLES = st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6)

PARSERS = {
    "group": lambda answer: tencent_answer.group(SHAPE, answer),
    "rules": lambda answer: policy_set(SHAPE, answer),
    "references": lambda answer: tencent_answer.references(SHAPE, answer),
    "statistics": lambda answer: tencent_answer.statistics(SHAPE, answer),
    "instance": lambda answer: tencent_answer.instance(SHAPE, answer),
    "interface": lambda answer: tencent_answer.nic(SHAPE, answer),
    "limits": lambda answer: tencent_limit.limits(SHAPE, answer),
    "legacy associates": lambda answer: qcloud_dfw.associates(SHAPE, answer, asked=[ID]),
    "legacy groups": lambda answer: qcloud_dfw.groups(SHAPE, answer),
    "legacy rules": lambda answer: qcloud_dfw.policies(SHAPE, answer),
}


@pytest.mark.parametrize("parse", PARSERS.values(), ids=list(PARSERS))
@given(answer=TABLES)
@examples(40)
@pytest.mark.sampled(8)
def test_any_json_is_understood_or_refused_as_an_unknown_shape(parse, answer):
    try:
        parse(answer)
    except UnknownShapeError as error:
        assert error.detail  # noqa: PT017 - either outcome is right


@given(value=JSON)
def test_a_group_is_unreferenced_only_where_an_empty_list_says_so(value):
    row = {"SecurityGroupId": ID, "ReferredSecurityGroupIds": value}
    try:
        found = tencent_answer.references(SHAPE, {"ReferredSecurityGroupSet": [row]})
    except UnknownShapeError:
        return
    assert found == {ID: tuple(value)}


@given(value=JSON)
def test_an_associate_answer_is_empty_only_where_it_holds_nothing_else(value):
    try:
        found = qcloud_dfw.associates(SHAPE, {"data": {ID: value}}, asked=[ID])
    except UnknownShapeError:
        return
    named = [value] if isinstance(value, str) else value
    assert found == {ID: tuple(name for name in dict.fromkeys(named) if name != ID)}


@given(
    body=st.binary(max_size=60) | JSON.map(lambda value: httpx.Response(200, json=value).content)
)
def test_a_body_without_the_envelope_is_an_error_in_both_apis(body):
    for read in (
        lambda response: tencent_api.parse_response(response, SHAPE, "ap-guangzhou"),
        lambda response: qcloud_api.parse_response(response, SHAPE),
    ):
        try:
            answer = read(httpx.Response(200, content=body))
        except CloudError:
            continue
        assert answer["code"] in (0, "0")
