"""``servers.py NOVA_CONF ENV_JSON PROJECT UUID...``: server records, through Nova's own objects.

There is no hypervisor: the records are in state ACTIVE, and Nova answers about them.
"""

import json
import sys
from pathlib import Path

from nova import config, context, exception, objects
from nova.network import model as network_model


def flavor_of(ctx):
    try:
        return objects.Flavor.get_by_flavor_id(ctx, "m1")
    except exception.FlavorNotFound:
        flavor = objects.Flavor(
            ctx,
            name="m1",
            flavorid="m1",
            memory_mb=64,
            vcpus=1,
            root_gb=1,
            ephemeral_gb=0,
            swap=0,
            rxtx_factor=1.0,
            is_public=True,
            disabled=False,
            vcpu_weight=0,
            extra_specs={},
        )
        flavor.create()
        return flavor


def make(ctx, cell, flavor, uuid, name):
    with context.target_cell(ctx, cell) as inside:
        instance = objects.Instance(
            inside,
            uuid=uuid,
            project_id=ctx.project_id,
            user_id=ctx.user_id,
            display_name=name,
            hostname=name,
            vm_state="active",
            power_state=1,
            memory_mb=64,
            vcpus=1,
            root_gb=1,
            ephemeral_gb=0,
            image_ref="",
            host="h1",
            node="h1",
            system_metadata={},
            metadata={},
            compute_id=1,
        )
        instance.flavor = flavor
        instance.old_flavor = instance.new_flavor = None
        instance.info_cache = objects.InstanceInfoCache(
            inside, instance_uuid=uuid, network_info=network_model.NetworkInfo()
        )
        instance.create()
    objects.InstanceMapping(
        ctx,
        instance_uuid=uuid,
        project_id=ctx.project_id,
        user_id=ctx.user_id,
        cell_mapping=cell,
        queued_for_delete=False,
    ).create()


def main():
    conf, env, project, *uuids = sys.argv[1:]
    owner = json.loads(Path(env).read_text())[project]
    config.parse_args(["servers", "--config-file", conf])
    objects.register_all()
    ctx = context.RequestContext(owner["user_id"], owner["project_id"], is_admin=True)
    (cell,) = [one for one in objects.CellMappingList.get_all(ctx) if one.name == "cell1"]
    flavor = flavor_of(ctx)
    for number, uuid in enumerate(uuids):
        make(ctx, cell, flavor, uuid, f"{project}-{number}")


main()
