"""The region of an event cannot choose a host: 422 that says what a right one looks like."""

from __future__ import annotations

import pytest

from tests.worlds import World, world_of


@pytest.fixture(params=["alibaba", "huawei", "tencent", "tencent-dfw"])
def world(request) -> World:
    return world_of(request.param)


REGIONS = ["x@host.example", "a.b", "CN-HANGZHOU", "a_b", "a" * 64]


def refused(answer, region):
    assert answer.status_code == 422
    problem = answer.get_json()
    assert problem["title"] == "Request not possible"
    assert f"{region!r} is not a region of " in problem["detail"]
    assert "such as " in problem["detail"]
    assert "retry-after" not in answer.headers


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.sampled(12)
def test_a_delete_in_a_region_no_cloud_has_is_422(delete_request, world, region):
    target = f"{world.provider}::{region}:{world.free}"
    refused(delete_request.ask({"target": target}), region)


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.sampled(12)
def test_a_launch_in_a_region_no_cloud_has_is_422(instance_launch, world, region):
    data = {"provider": world.provider, "region": region, "groups": [world.free]}
    refused(instance_launch.ask(data), region)


@pytest.mark.parametrize("provider", ["alibaba", "huawei"])
@pytest.mark.parametrize("region", ["oss-cn-hangzhou", "obs"])
@pytest.mark.sampled(3)
def test_a_bucket_of_the_clouds_own_domain_is_422(provider, region, monkeypatch, framework):
    for name, value in world_of(provider).env.items():
        monkeypatch.setenv(name, value)
    target = f"{provider}::{region}:{world_of(provider).free}"
    refused(framework("delete_request").ask({"target": target}), region)


@pytest.mark.parametrize("text", ["a/b", "a#b", "a?b", "a%2f", "a b", "a\0", "a\u3002b", ""])
@pytest.mark.usefixtures("cloud")
@pytest.mark.sampled(16)
def test_what_no_address_can_hold_is_refused_before_that(instance_launch, delete_request, text):
    launch = {"provider": "alibaba", "region": text, "groups": ["sg-1"]}
    assert instance_launch.ask(launch).status_code in {400, 422}
    assert delete_request.ask({"target": f"alibaba::{text}:sg-1"}).status_code in {400, 422}
