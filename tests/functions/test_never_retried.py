"""What no later delivery can change is refused once, with its path, and never 503."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from sgguard.emulator.server import serve
from tests.deployment import CLOUDS, emulator, environment
from tests.examples import examples
from tests.functions.conftest import TYPES
from tests.functions.test_fuzz import mutated, valid_data, written
from tests.worlds import world_of

FINAL = {200, 400, 413, 415, 422}
FIRST = {
    "alibaba": "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "huawei": "HUAWEICLOUD_SDK_AK",
    "openstack": "OS_AUTH_URL",
    "tencent": "TENCENTCLOUD_SECRET_ID",
    "tencent-dfw": "TENCENTCLOUD_SECRET_ID",
}
CREDENTIALS = ("ALIBABA_CLOUD_", "HUAWEICLOUD_", "OS_", "TENCENTCLOUD_", "SGGUARD_")

NAMING = ("alibaba", "openstack", "tencent")  # whose codes say that a region does not exist

tried = examples(60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def url():
    with serve(emulator()) as running:
        yield running.url


@pytest.fixture(params=sorted(TYPES))
def function(framework, request):
    return framework(request.param)


@pytest.fixture
def _set_up(monkeypatch, url):
    for name, value in environment(url, SGGUARD_PACE="1000").items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def bare(monkeypatch, url):
    """A function that no cloud is set up for; it has a store."""
    for name in list(os.environ):
        if name.startswith(CREDENTIALS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SGGUARD_STORE", environment(url)["SGGUARD_STORE"])
    return monkeypatch


def asks(cloud):
    """One request about a cloud per way to name it, and where in it the cloud is named."""
    world = world_of(cloud)
    place = {"provider": cloud, "region": world.region}
    address = f"{cloud}::{world.region}:{world.free}"
    return {
        "bind_request": [({"group": address, "holders": [world.server]}, "/group")],
        "delete_request": [
            ({"target": address}, "/target"),
            ({"targets": [address]}, "/targets/0"),
        ],
        "instance_launch": [
            ({**place, "groups": [world.free], "count": 2}, "/provider"),
            ({**place, "instance_id": world.server}, "/provider"),
        ],
    }


# -- a cloud that is not set up --------------------------------------------------------------------


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.sampled(24)
def test_a_cloud_that_is_not_set_up_is_422_with_its_path(function, cloud):
    for data, path in asks(cloud)[function.name]:
        answer = function.ask(data)
        problem = answer.get_json()
        assert answer.status_code == 422, problem
        assert "Retry-After" not in answer.headers
        assert [one["path"] for one in problem["problems"]] == [path]
        assert FIRST[cloud] in problem["detail"]


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.sampled(6)
def test_half_of_the_credentials_is_a_slip_of_the_operator_and_503(function, cloud, bare):
    bare.setenv(FIRST[cloud], "http://127.0.0.1:1" if cloud == "openstack" else "an-id")
    for data, _ in asks(cloud)[function.name]:
        answer = function.ask(data)
        assert answer.status_code == 503, answer.get_json()
        assert "Retry-After" in answer.headers


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.sampled(12)
def test_of_a_batch_only_the_event_about_such_a_cloud_is_refused(function, cloud, bare):
    for name, value in world_of(cloud).env.items():
        bare.delenv(name, raising=False)
        assert value
    data, path = asks(cloud)[function.name][0]
    answer = function.post(
        [function.event(data), function.event({})],
        {"Content-Type": "application/cloudevents-batch+json"},
    )
    first, second = (one["data"] for one in answer.get_json())
    assert (first["status"], second["status"]) == (422, 400)
    assert [one["path"] for one in first["problems"]] == [f"/0/data{path}"]


# -- parts that a cloud cannot take ----------------------------------------------------------------


@pytest.mark.usefixtures("_set_up")
@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize(
    ("part", "value"),
    [("region", "nowhere-1"), ("region", "-"), ("account", "nobody"), ("provider", "unknown")],
)
@pytest.mark.sampled(32)
def test_every_impossible_part_is_named_by_its_path(function, cloud, part, value):
    if value == "nowhere-1" and cloud not in NAMING:
        pytest.skip("this cloud says nothing of the region: it is a host, or has no code")
    world = world_of(cloud)
    named = {"provider": cloud, "account": "", "region": world.region} | {part: value}
    address = ":".join([*named.values(), world.free])
    if function.name == "bind_request":
        asked = [({"group": address, "holders": [world.server]}, "/group")]
    elif function.name == "delete_request":
        asked = [({"target": address}, "/target"), ({"targets": [address]}, "/targets/0")]
    else:
        asked = [({**named, "groups": [world.free]}, f"/{part}")]
    for data, path in asked:
        answer = function.ask(data)
        problem = answer.get_json()
        assert answer.status_code == 422, problem
        assert [one["path"] for one in problem["problems"]] in ([path], ["/targets"])
        assert problem["problems"][0]["problem"]


# -- anything --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_set_up")
@tried
@given(data=st.data())
@pytest.mark.sampled(4)
def test_a_malformed_request_is_never_a_reason_to_deliver_it_again(function, data):
    body = data.draw(st.sampled_from(valid_data(function.name)).flatmap(mutated))
    answer = function.post(written(body), {"Content-Type": "application/json"})
    assert answer.status_code in FINAL, answer.get_json()


@pytest.mark.usefixtures("bare")
@tried
@given(data=st.data())
@pytest.mark.sampled(4)
def test_nor_is_any_request_where_no_cloud_is_set_up(function, data):
    body = data.draw(st.sampled_from(valid_data(function.name)).flatmap(mutated))
    answer = function.post(written(body), {"Content-Type": "application/json"})
    assert answer.status_code in FINAL - {200}, answer.get_json()
    if answer.status_code == 422:
        assert answer.get_json()["problems"]


PLACES = ["region", "account", "project", "network", "instance_id"]
STRANGE = ["", ".", "..", "../x", "a/b", "?", "#", "%00", "*", "sg-", "-1", "null", "a" * 129]
ids = st.text(max_size=40) | st.sampled_from([*STRANGE, "é", "\u202e"])


@pytest.mark.usefixtures("_set_up")
@tried
@given(data=st.data(), cloud=st.sampled_from(CLOUDS), text=ids)
@pytest.mark.sampled(2)
def test_nor_is_any_text_in_the_place_of_an_id(function, data, cloud, text):
    world = world_of(cloud)
    if function.name == "delete_request":
        parts = [cloud, "", world.region, world.free]
        parts[data.draw(st.integers(0, 3))] = text
        body = {"target": ":".join(parts)}
    elif function.name == "bind_request":
        parts = [cloud, "", world.region, world.free, world.server]
        parts[data.draw(st.integers(0, 4))] = text
        body = {"group": ":".join(parts[:4]), "holders": [parts[4]]}
    else:
        place = {"provider": cloud, "region": world.region, "groups": [world.free]}
        name = data.draw(
            st.sampled_from(["region", "account", "project", "network", "instance_id"])
        )
        body = place | {name: text} if data.draw(st.booleans()) else place | {"groups": [text]}
    answer = function.post(written(body), {"Content-Type": "application/json"})
    assert answer.status_code in FINAL, answer.get_json()
