"""Every error code of Keystone, Neutron and Nova is classified, and what each class leads to."""

from __future__ import annotations

import httpx
import pytest

from sgguard.emulator.transport import EmulatorTransport
from sgguard.errors import (
    AddressError,
    ApiAbsentError,
    CloudError,
    ConflictError,
    ForbiddenError,
    InUseError,
    InvalidRequestError,
    LimitError,
    NotFoundError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
    UnknownShapeError,
)
from sgguard.model.change import Change, Holder
from sgguard.providers import openstack
from sgguard.providers.access import Access
from sgguard.remedy.observe import observe
from sgguard.remedy.world import State
from sgguard.web import problem
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.openstack.neutron.codes import CODES
from sgguard.wire.openstack.neutron.error import error_of
from tests.providers.test_openstack_completeness import behind, connect, emulator, state
from tests.worlds import openstack as w

# Status, code and class, as the sources document them. Neutron: its exceptions
# (neutron/extensions/securitygroup.py, neutron_lib/exceptions); Nova: faults; Keystone: titles.
DOCUMENTED = [
    (404, "SecurityGroupNotFound", NotFoundError),
    (404, "SecurityGroupRuleNotFound", NotFoundError),
    (404, "AddressGroupNotFound", NotFoundError),
    (404, "PortNotFound", NotFoundError),
    (404, "NetworkNotFound", NotFoundError),
    (404, "RbacPolicyNotFound", NotFoundError),
    (404, "TagNotFound", NotFoundError),
    (404, "itemNotFound", NotFoundError),
    (404, "HTTPNotFound", UnknownShapeError),
    (404, "Not Found", UnknownShapeError),
    (409, "SecurityGroupInUse", InUseError),
    (409, "SecurityGroupRuleInUse", InUseError),
    (409, "RbacPolicyInUse", InUseError),
    (409, "SecurityGroupRuleExists", ConflictError),
    (409, "DuplicateSecurityGroupRuleInPost", ConflictError),
    (409, "SecurityGroupDefaultAlreadyExists", ConflictError),
    (409, "DuplicateRbacPolicy", ConflictError),
    (412, "RevisionNumberConstraintFailed", ConflictError),
    (409, "conflictingRequest", CloudError),
    (409, "Conflict", CloudError),
    (409, "OverQuota", LimitError),
    (409, "SecurityGroupConflict", CloudError),
    (409, "SecurityGroupCannotRemoveDefault", CloudError),
    (409, "SecurityGroupCannotUpdateDefault", CloudError),
    (409, "PortSecurityPortHasSecurityGroup", CloudError),
    (409, "DeviceIDNotOwnedByTenant", CloudError),
    (400, "PortSecurityAndIPRequiredForSecurityGroups", InvalidRequestError),
    (400, "SecurityGroupEthertypeConflictWithProtocol", InvalidRequestError),
    (400, "SecurityGroupInvalidIcmpValue", InvalidRequestError),
    (400, "SecurityGroupInvalidPortRange", InvalidRequestError),
    (400, "SecurityGroupInvalidPortValue", InvalidRequestError),
    (400, "SecurityGroupInvalidProtocolForPort", InvalidRequestError),
    (400, "SecurityGroupMissingIcmpType", InvalidRequestError),
    (400, "SecurityGroupMultipleRemoteEntites", InvalidRequestError),
    (400, "SecurityGroupNotSingleGroupRules", InvalidRequestError),
    (400, "SecurityGroupProtocolRequiredWithPorts", InvalidRequestError),
    (400, "SecurityGroupRuleInvalidEtherType", InvalidRequestError),
    (400, "SecurityGroupRuleInvalidProtocol", InvalidRequestError),
    (400, "SecurityGroupRuleParameterConflict", InvalidRequestError),
    (400, "SecurityGroupRulesNotSingleProject", InvalidRequestError),
    (400, "InvalidInput", InvalidRequestError),
    (400, "InvalidCIDR", InvalidRequestError),
    (400, "BadRequest", InvalidRequestError),
    (400, "HTTPBadRequest", InvalidRequestError),
    (400, "badRequest", InvalidRequestError),
    (400, "Bad Request", InvalidRequestError),
    (415, "HTTPUnsupportedMediaType", InvalidRequestError),
    (415, "badMediaType", InvalidRequestError),
    (405, "HTTPMethodNotAllowed", ApiAbsentError),
    (405, "badMethod", ApiAbsentError),
    (501, "HTTPNotImplemented", ApiAbsentError),
    (501, "NotImplemented", ApiAbsentError),
    (501, "notImplemented", ApiAbsentError),
    (501, "Not Implemented", ApiAbsentError),
    (401, "Unauthorized", UnauthenticatedError),
    (401, "unauthorized", UnauthenticatedError),
    (403, "PolicyNotAuthorized", ForbiddenError),
    (403, "AdminRequired", ForbiddenError),
    (403, "NotAuthorized", ForbiddenError),
    (403, "forbidden", ForbiddenError),
    (403, "Forbidden", ForbiddenError),
    (413, "overLimit", ThrottledError),
    (429, "overLimit", ThrottledError),
    (429, "OverLimit", ThrottledError),
    (429, "tooManyRequests", ThrottledError),
    (429, "HTTPTooManyRequests", ThrottledError),
    (500, "HTTPInternalServerError", UnavailableError),
    (500, "NeutronError", UnavailableError),
    (500, "computeFault", UnavailableError),
    (500, "Internal Server Error", UnavailableError),
    (500, "RetryRequest", UnavailableError),
    (502, "HTTPBadGateway", UnavailableError),
    (503, "HTTPServiceUnavailable", UnavailableError),
    (503, "ServiceUnavailable", UnavailableError),
    (503, "serviceUnavailable", UnavailableError),
    (503, "Service Unavailable", UnavailableError),
    (504, "HTTPGatewayTimeout", UnavailableError),
]
_OLDER = {
    # Names of releases before Neutron 29, for the same things.
    "SecurityGroupRemoteGroupAndRemoteIpPrefix",
    "SecurityGroupRulesNotSingleTenant",
    "QuotaResourceUnknown",
    "QuotaMissingTenant",
}
NOVA = ("itemNotFound", "badRequest", "forbidden", "conflictingRequest", "computeFault")


def response(status: int, code: str) -> httpx.Response:
    if code in NOVA or (code[:1].islower() and code != "overLimit"):
        return httpx.Response(status, json={code: {"code": status, "message": "m"}})
    if " " in code or code in ("Unauthorized", "Forbidden", "Conflict"):
        body = {"error": {"code": status, "title": code, "message": "m"}}
        return httpx.Response(status, json=body)
    body = {"NeutronError": {"type": code, "message": "m", "detail": ""}}
    return httpx.Response(status, json=body)


@pytest.mark.parametrize(("status", "code", "kind"), DOCUMENTED)
def test_a_documented_code_has_its_class(status, code, kind):
    error = error_of("openstack", "GET /x", response(status, code))
    assert (type(error), error.code) == (kind, code)


def test_the_table_has_the_documented_codes_and_no_other():
    assert set(CODES) == {code for _, code, _ in DOCUMENTED} | _OLDER


@pytest.mark.parametrize("status", [400, 404, 405, 409, 500, 501])
def test_a_page_without_a_code_is_of_no_known_shape_unless_the_server_failed(status):
    error = error_of("openstack", "GET /x", httpx.Response(status, text="<html>no</html>"))
    assert type(error) is (UnavailableError if status >= 500 else UnknownShapeError)


def test_a_400_with_a_new_code_is_a_request_that_cannot_be_right():
    error = error_of("openstack", "GET /x", response(400, "SomethingNewInNeutron30"))
    assert isinstance(error, InvalidRequestError)
    assert problem.of(error).status == 422


# -- what cannot exist, and what is not offered ---------------------------------------------------


def test_a_region_that_the_catalog_does_not_have_is_no_passing_trouble():
    with pytest.raises((InvalidRequestError, AddressError)) as caught:
        connect(emulator(), region="Nowhere").read_groups([w.FREE])
    details = problem.of(caught.value)
    assert (details.status, details.retry_after_s) == (422, None)


def absent(path):
    def change(request, answer):
        if request.method == "GET" and request.url.path.endswith(path):
            error = {"type": "HTTPNotFound", "message": "not found", "detail": ""}
            return httpx.Response(404, json={"NeutronError": error})
        return None

    return change


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("/security-groups", "read_groups"),
        ("/security-group-rules", "list_references"),
        ("/ports", "list_bindings"),
        ("/ports", "count_instances"),
    ],
)
def test_an_extension_that_this_neutron_does_not_have_is_a_gap(path, read):
    seen = getattr(behind(emulator(), absent(path)), read)([w.FREE])
    assert "api-absent" in {gap.code for gap in seen.unseen}


def test_limits_without_the_quota_extension_are_a_gap():
    def change(request, answer):
        return absent(request.url.path)(request, answer) if "/quotas" in request.url.path else None

    seen = behind(emulator(), change).read_limits()
    assert [limit.name for limit in seen.value] == ["groups-per-interface"]
    assert [gap.code for gap in seen.unseen] == ["api-absent"]


# -- aims that are reached ------------------------------------------------------------------------


def test_a_rule_that_is_gone_is_observed_as_gone():
    cloud = emulator()
    provider = connect(cloud)
    (reference, *_) = provider.list_references([w.WEB]).value[w.WEB]
    provider.remove_rule(reference.group_id, reference.rule, token="t")
    with pytest.raises(NotFoundError):
        provider.remove_rule(reference.group_id, reference.rule, token="t")
    change = Change("remove-rule", reference.group_id, rule=reference.rule)
    assert observe(provider, change)[0] is State.AFTER


def test_a_group_that_is_gone_is_not_found_and_never_an_unknown_outcome():
    provider = connect(emulator())
    provider.delete_group(w.FREE)
    with pytest.raises(NotFoundError):
        provider.delete_group(w.FREE)


class Racing(httpx.BaseTransport):
    """The emulator, where another user does something just before an action of Nova arrives."""

    def __init__(self, cloud, change):
        self.inner, self.change = EmulatorTransport(cloud), change

    def handle_request(self, request):
        if request.url.path.endswith("/action"):
            self.change()
        return self.inner.handle_request(request)


@pytest.mark.parametrize(
    ("before", "after"), [((w.BOUND,), (w.BOUND, w.FREE)), ((w.BOUND, w.FREE), (w.BOUND,))]
)
def test_a_server_that_another_user_changed_to_the_same_is_as_wanted(before, after):
    cloud = emulator()
    ports = [one for one in state(cloud).interfaces if one.instance == w.OTHER_SERVER]
    for port in ports:
        port.groups = list(before)

    def change():
        for port in ports:
            port.groups = list(after)

    wire = Wire("openstack", Deadline.after(30), transport=Racing(cloud, change))
    provider = openstack.connect(Access(wire, w.WORLD.region, env=w.PASSWORD_ENV))
    provider.set_groups(Holder("instance", w.OTHER_SERVER), before, after, token="t")
    assert [port.groups for port in ports] == [list(after)] * 2


def test_a_refusal_that_means_something_else_is_raised():
    cloud = emulator()
    ports = [one for one in state(cloud).interfaces if one.instance == w.OTHER_SERVER]
    for port in ports:
        port.groups = [w.BOUND]
    state(cloud).quirks["unprotected_ports"] = [ports[0].id]
    holder = Holder("instance", w.OTHER_SERVER)
    with pytest.raises(CloudError, match="badRequest"):
        connect(cloud).set_groups(holder, (w.BOUND,), (w.BOUND, w.FREE), token="t")


def test_rules_of_a_new_group_that_are_gone_already_do_not_undo_it():
    cloud = emulator()

    def vanishing(request, answer):
        if request.method == "DELETE" and "security-group-rules" in request.url.path:
            error = {"type": "SecurityGroupRuleNotFound", "message": "gone", "detail": ""}
            return httpx.Response(404, json={"NeutronError": error})
        return None

    provider = behind(cloud, vanishing)
    group = provider.define_group(provider.read_groups([w.FREE]).value[w.FREE])
    group_id = provider.create_group(group, token="t")
    assert state(cloud).group(group_id).name == "free"
