"""What a restore brings back on a real Neutron, and what it names because it cannot."""

from __future__ import annotations

import json

import pytest

from tests.live.openstack.build import MEMBER
from tests.live.openstack.deliveries import Deliveries

REVOKE = """
mode = "enforce"
[delete]
remedies = ["revoke"]
tolerate_unseen = ["other-project"]
[caps]
management_ports = []
"""

TAGS = ["a=", "=", "=b", "a=b=c", "plain", "env=prod"]


def tags_of(stack, group_id):
    rows = stack.rows(
        "SELECT t.tag FROM tags AS t JOIN securitygroups AS g"
        " ON g.standard_attr_id = t.standard_attr_id WHERE g.id = ?",
        group_id,
    )
    return sorted(row["tag"] for row in rows)


def made(found):
    """The id of the group that was built again."""
    (group,) = [one["made"] for one in found["journal"] if one["made"]]
    return group


def referenced_group(stack, **more):
    alpha = stack.client(MEMBER)
    group, referrer = alpha.group("going", **more), alpha.group("referrer")
    alpha.rule(referrer, group)
    return group, referrer


def test_tags_come_back_as_they_were(stack, tmp_path):
    group, _ = referenced_group(stack)
    alpha = stack.client(MEMBER)
    alpha.call("PUT", f"security-groups/{group}/tags", {"tags": TAGS})
    assert tags_of(stack, group) == sorted(TAGS)
    deliveries = Deliveries(stack, MEMBER, tmp_path, REVOKE)
    deleted = deliveries.delete(group)
    assert deleted["outcome"] == "remediated"
    restored = deliveries.restore(deleted["decision_id"])
    assert restored["outcome"] == "remediated"
    assert tags_of(stack, made(restored)) == sorted(TAGS)


def test_a_stateless_group_comes_back_stateless(stack, tmp_path):
    group, _ = referenced_group(stack, stateful=False)
    deliveries = Deliveries(stack, MEMBER, tmp_path, REVOKE)
    deleted = deliveries.delete(group)
    assert deleted["outcome"] == "remediated"
    new = made(deliveries.restore(deleted["decision_id"]))
    (row,) = stack.rows("SELECT stateful FROM securitygroups WHERE id = ?", new)
    assert not row["stateful"]


def sharing_of(stack, group_id):
    query = "SELECT target_project FROM securitygrouprbacs WHERE object_id = ?"
    return sorted(row["target_project"] for row in stack.rows(query, group_id))


@pytest.mark.parametrize("who", ["admin", MEMBER])
@pytest.mark.parametrize("target", ["beta", "*"])
def test_sharing_comes_back_or_is_named_before_and_after(stack, tmp_path, who, target):
    group, _ = referenced_group(stack)
    maker = stack.client("admin" if target == "*" else MEMBER)
    project = stack.project("beta") if target == "beta" else "*"
    maker.share(group, project)
    deliveries = Deliveries(stack, who, tmp_path, REVOKE)
    deleted = deliveries.delete(group)
    if deleted["outcome"] != "remediated":
        assert who == MEMBER  # it cannot see what other projects do with the group
        return
    restored = deliveries.restore(deleted["decision_id"])
    if sharing_of(stack, made(restored)) == [project]:
        return
    for document in (deleted, restored):
        assert "shar" in json.dumps([document["note"], document["plan"], document.get("left")])


def test_a_referring_group_that_is_deleted_during_the_run_does_not_undo_it(stack, tmp_path):
    group, referrer = referenced_group(stack)
    alpha = stack.client(MEMBER)

    def meddle():
        response = alpha.call("DELETE", f"security-groups/{referrer}")
        assert response.status_code == 204

    deliveries = Deliveries(stack, MEMBER, tmp_path, REVOKE, meddle=meddle)
    found = deliveries.delete(group)
    assert found["outcome"] == "remediated", found["note"]
    assert not stack.rows("SELECT id FROM securitygroups WHERE id = ?", group)


@pytest.mark.parametrize("what", ["rule", "group"])
def test_what_somebody_else_did_already_succeeds(stack, tmp_path, what):
    group, _ = referenced_group(stack)
    (row,) = stack.rows("SELECT id FROM securitygrouprules WHERE remote_group_id = ?", group)
    path = f"security-group-rules/{row['id']}" if what == "rule" else f"security-groups/{group}"

    def meddle():
        assert stack.client(MEMBER).call("DELETE", path).status_code == 204

    found = Deliveries(stack, MEMBER, tmp_path, REVOKE, meddle=meddle).delete(group)
    assert found["outcome"] == "remediated", found["note"]
    assert not stack.rows("SELECT id FROM securitygroups WHERE id = ?", group)
