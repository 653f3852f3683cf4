"""``neutron_schema.py URL``: Neutron's schema straight from its models.

Its migrations cannot run on SQLite ("No support for ALTER of constraints"). The four default rules
of new groups are those that the migration c33da356b165 of 2023.2 inserts.
"""

import sys

import sqlalchemy as sa
from neutron.db.migration.models import head
from oslo_utils import uuidutils

_DEFAULT_RULES = (
    ("egress", "IPv4", None, True),
    ("egress", "IPv6", None, True),
    ("ingress", "IPv4", "PARENT", False),
    ("ingress", "IPv6", "PARENT", False),
)


def main():
    engine = sa.create_engine(sys.argv[1])
    metadata = head.get_metadata()
    metadata.create_all(engine)
    rules = metadata.tables["securitygroupdefaultrules"]
    attributes = metadata.tables["standardattributes"]
    with engine.begin() as connection:
        for direction, ethertype, remote, is_in_every_group in _DEFAULT_RULES:
            attribute = sa.insert(attributes).values(
                resource_type="securitygroupdefaultrules",
                description=f"Legacy default SG rule for {direction} traffic",
                revision_number=0,
            )
            (key,) = connection.execute(attribute).inserted_primary_key
            connection.execute(
                sa.insert(rules).values(
                    id=uuidutils.generate_uuid(),
                    standard_attr_id=key,
                    direction=direction,
                    ethertype=ethertype,
                    remote_group_id=remote,
                    used_in_default_sg=True,
                    used_in_non_default_sg=is_in_every_group,
                )
            )


main()
