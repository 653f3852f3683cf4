"""The service plugin: what happens when a security group is to be deleted.

1. ``BEFORE_DELETE``, outside of a transaction: the function ``delete_request`` is asked, where one
   is configured. Only the verdict ``allow`` lets the delete go on.
2. ``PRECOMMIT_DELETE``, inside the transaction: rules of other groups that name the group keep it.
   Between 1. and 2. the world may have changed, and 2. needs nobody's answer.

An exception in either makes Neutron refuse with 409 and roll back. Sources, read 2026-11:
``neutron.db.securitygroups_db`` and ``neutron_lib.callbacks.manager`` of Neutron 29,
https://docs.openstack.org/neutron-lib/latest/contributor/callbacks.html.
"""

from __future__ import annotations

from typing import Any

from neutron_lib.callbacks import events, registry, resources
from neutron_lib.services import base
from oslo_config import cfg
from oslo_log import log

from sgguard_neutron import options
from sgguard_neutron.ask import NotAnsweredError, Question, ask
from sgguard_neutron.extensions.sgguard import ALIAS
from sgguard_neutron.references import naming_rules
from sgguard_neutron.refusal import Reader, RefusedError, codes, of_decision, of_rules, plain

LOG = log.getLogger(__name__)

_DEFAULT_GROUP = "default"
_TEXT_MAX = 200


class SgguardPlugin(base.ServicePluginBase):
    """Guards the deletion of security groups; it has no API of its own."""

    supported_extension_aliases = [ALIAS]  # noqa: RUF012 - Neutron's plugins are made like this

    def __init__(self) -> None:
        """Read the configuration and subscribe.

        Raises:
            ValueError: the configuration cannot be used; Neutron does not start then.
        """
        super().__init__()
        self._options = options.read(cfg.CONF)
        self._function = options.function(self._options)
        subscriptions = (
            (self.before_delete, events.BEFORE_DELETE),
            (self.precommit_delete, events.PRECOMMIT_DELETE),
        )
        for callback, event in subscriptions:
            registry.subscribe(callback, resources.SECURITY_GROUP, event)
        if self._function is None:
            LOG.warning("sgguard: [sgguard] url is empty: only referenced groups are kept")
        else:
            # The function's repr has no token.
            LOG.info("sgguard: asks %s, fail=%s", self._function, self._options.fail)

    def get_plugin_type(self) -> str:
        """Return the name of this kind of plugin: Neutron loads one of each."""
        return ALIAS

    def get_plugin_description(self) -> str:
        """Return what the plugin is for."""
        return "Asks sgguard before a security group is deleted, and keeps referenced ones"

    # -- outside of the transaction --------------------------------------------------------------

    def before_delete(self, resource: str, event: str, trigger: object, payload: Any) -> None:  # noqa: ARG002
        """Ask the function about the group.

        Raises:
            RefusedError: it does not allow the delete, or gave no answer and ``fail`` is closed.
        """
        context, group_id = payload.context, payload.resource_id
        if self._function is None or context.user_id in self._options.unasked_users:
            return
        if _is_default(payload):
            # Neutron itself keeps it from everybody but administrators, who remove a project with
            # it. The function would block each of them.
            return
        if self._is_overridden(context, group_id, "the function is not asked"):
            return
        try:
            decision = ask(self._function, self._question(context, group_id))
        except NotAnsweredError as error:
            self._unanswered(group_id, error)
            return
        verdict = decision["verdict"]
        LOG.info(
            "sgguard: verdict=%s reasons=%s group=%s user=%s decision=%s",
            verdict,
            codes(decision),
            group_id,
            context.user_id,
            plain(decision.get("decision_id"), _TEXT_MAX),
        )
        if verdict != "allow":
            raise RefusedError(of_decision(decision, _reader(context)))

    def _question(self, context: Any, group_id: str) -> Question:
        region, account = self._options.region, self._options.account
        return Question(
            # Neutron repeats a delete whose transaction failed: then it is the same event.
            event_id=f"{context.request_id}/{group_id}",
            source=f"/openstack/neutron/{region}",
            target=f"openstack:{account}:{region}:{group_id}",
            # The id: a name can be that of another user, in another domain.
            requested_by=context.user_id or "",
        )

    def _unanswered(self, group_id: str, error: NotAnsweredError) -> None:
        LOG.error("sgguard: not judged group=%s fail=%s: %s", group_id, self._options.fail, error)
        if self._options.fail == "closed":
            raise RefusedError(
                "sgguard: the delete could not be judged, and is refused until it can be: try "
                "again later, or ask an administrator"
            )

    # -- inside the transaction ------------------------------------------------------------------

    def precommit_delete(self, resource: str, event: str, trigger: object, payload: Any) -> None:  # noqa: ARG002
        """Keep a group that rules of other groups name.

        Raises:
            RefusedError: such a rule is there, in whatever project.
        """
        context, group_id = payload.context, payload.resource_id
        rules = naming_rules(context.session, group_id)
        if not rules:
            return
        everything = of_rules(rules, Reader("", is_admin=True))
        if self._is_overridden(context, group_id, everything):
            return
        LOG.info("sgguard: refused group=%s user=%s: %s", group_id, context.user_id, everything)
        raise RefusedError(of_rules(rules, _reader(context)))

    # -- override --------------------------------------------------------------------------------

    def _is_overridden(self, context: Any, group_id: str, what: str) -> bool:
        """Return whether the caller has a role that overrides the guard; each use is logged."""
        overriding = {role.lower() for role in self._options.override_roles}
        held = sorted(overriding & {role.lower() for role in context.roles or ()})
        if held:
            LOG.warning(
                "sgguard: override group=%s user=%s project=%s role=%s request=%s: %s",
                group_id,
                context.user_id,
                context.project_id,
                ",".join(held),
                context.request_id,
                what,
            )
        return bool(held)


def _is_default(payload: Any) -> bool:
    return any(state["name"] == _DEFAULT_GROUP for state in payload.states)


def _reader(context: Any) -> Reader:
    sees_all = context.is_admin or getattr(context, "has_global_access", False)
    return Reader(context.project_id or "", is_admin=bool(sees_all))
