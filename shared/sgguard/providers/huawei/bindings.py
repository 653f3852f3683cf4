"""What carries a group: ports and supplementary interfaces, as bindings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from sgguard.model.resource import Binding, Seen
from sgguard.model.sentence import Text, said
from sgguard.providers._shared import unseen_beyond
from sgguard.providers.access import seen_or_unseen
from sgguard.providers.huawei import listing, proof
from sgguard.providers.huawei.api import Api
from sgguard.providers.huawei.response import Port, SubInterface
from sgguard.providers.huawei.sharing import SHARING_REMEDY, holder_signs
from sgguard.wire.openstack import neutron
from sgguard.wire.parallel import parallel


def list_bindings(api: Api, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Binding, ...]]]:
    """Return, by id, the bindings to ports and supplementary interfaces."""
    reads: list[tuple[str, Callable[[], Seen[Any]]]] = [
        ("bindings", partial(listing.ports, api, "security_groups", group_ids)),
        ("supplementary network interfaces", lambda: Seen(listing.sub_interfaces(api))),
    ]
    ports, subs = parallel([partial(seen_or_unseen, *read, None) for read in reads])
    if ports.value is None:
        return Seen({}, (*ports.unseen, *subs.unseen))
    beyond = _beyond(api, group_ids, ports.value, subs)
    all_ports: list[Port] = [*ports.value, *beyond.value]
    all_subs: list[SubInterface] = subs.value or []
    holders: list[Port | SubInterface] = [*all_ports, *all_subs]
    signs = holder_signs(holders, group_ids, api.project())
    return Seen(
        {
            group_id: (
                *(binding_of(p, group_id) for p in all_ports if group_id in p.carried),
                *(binding_of_sub(s, group_id) for s in all_subs if group_id in s.carried),
            )
            for group_id in group_ids
        },
        (
            *ports.unseen,
            *subs.unseen,
            *beyond.unseen,
            *unseen_beyond(signs, SHARING_REMEDY),
        ),
    )


def _beyond(
    api: Api, group_ids: Sequence[str], ports: Sequence[Port], subs: Seen[list[SubInterface] | None]
) -> Seen[list[Port]]:
    """Prove what the lists do not show; a second wave, where one of them is empty."""
    free = [one for one in group_ids if not any(one in port.carried for port in ports)]
    more: Callable[[], Seen[list[Port]]] = partial(proof.ports_beyond, api, free)
    nothing: list[Port] = []
    reads: list[Callable[[], Seen[list[Port]]]] = []
    if free:
        reads.append(partial(seen_or_unseen, "bindings", more, nothing))
    if subs.value == [] and not subs.unseen:
        reads.append(lambda: Seen([], proof.sub_interfaces_gap(api)))
    found = parallel(reads)
    return Seen(
        [port for one in found for port in one.value], tuple(u for one in found for u in one.unseen)
    )


_PRODUCTS = {"rds": "database", "dds": "database", "elb": "load-balancer", "dcs": "redis"}
_VIRTUAL_IP = "neutron:vip_port"
_IN_ANOTHER_FIELD = said("refusal.extension")
_OWNED = ("network:", "neutron:loadbalancer", "octavia")


def binding_of(port: Port, group_id: str = "") -> Binding:
    """Return the binding of the group to a port, named after the product behind the port.

    A virtual IP address is the customer's own, and its groups are changed like those of any port;
    load balancers have other owners (``neutron:LOADBALANCERV2``, ``V3``).
    """
    plain = replace(
        neutron.binding_of(port.row),
        other_group_ids=_without(port.row.group_ids, group_id),
        change_refusal=change_refusal(port, group_id),
    )
    if port.row.device_owner.lower().startswith(_VIRTUAL_IP):
        return replace(plain, kind="virtual-ip")
    if not port.product:
        return plain
    product = port.product.lower()
    return replace(
        plain,
        kind=_PRODUCTS.get(product, product),
        holder_id=port.product_id or plain.holder_id,
    )


def change_refusal(port: Port, group_id: str = "") -> Text:
    """Return why the group of a port is not ours to change, empty where it is."""
    if group_id in port.elsewhere:
        return _IN_ANOTHER_FIELD
    if port.product:
        return said("refusal.port-of-product", product=port.product)
    owner = port.row.device_owner
    if owner.lower().startswith(_OWNED):
        return said("refusal.port-of-cloud", owner=owner)
    return ""


def binding_of_sub(interface: SubInterface, group_id: str = "") -> Binding:
    """Return the binding of the group to a supplementary interface."""
    return Binding(
        kind="interface",
        holder_id=interface.interface_id,
        instance_id=interface.instance_id,
        owner="sub-network-interface",
        project=interface.project,
        other_group_ids=_without(interface.group_ids, group_id),
        change_refusal=_IN_ANOTHER_FIELD if group_id in interface.elsewhere else "",
    )


def _without(group_ids: tuple[str, ...], group_id: str) -> tuple[str, ...]:
    return tuple(one for one in group_ids if one != group_id)
