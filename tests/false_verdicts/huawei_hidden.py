"""Random clouds of Huawei Cloud in which an answer hides something, or spells it in another way.

Denied lists are empty or refused, a caller is authorised by enterprise project, ids come in upper
case, rows answer a filter and do not show why, pages do not say when they end, and a region lacks
calls. Open Telekom Cloud keeps its supplementary interfaces.
"""

from __future__ import annotations

from dataclasses import replace

from sgguard.emulator.state import Cloud
from tests.false_verdicts.kinds import HUAWEI
from tests.false_verdicts.random_source import RandomSource

_LISTS = (
    *HUAWEI.actions,
    "GET /v3/{project_id}/*",
    "GET /v1/{project_id}/ports",
    "GET /v1/{project_id}/quotas",
    "GET /v3/{project_id}/ports/{id}",
    "GET /v3/{project_id}/vpc/security-groups/{id}",
)


def _quirks(rng: RandomSource, cloud: Cloud) -> bool:
    """Make the finished cloud hide something; return whether it may make a reader block."""
    supplementary = [one for one in cloud.interfaces if one.kind == "supplementary"]
    is_hiding = HUAWEI.quirks(rng, cloud)
    if cloud.quirks.get("otc"):
        cloud.interfaces += supplementary
    groups = [group.id for group in cloud.groups]
    rows = [rule.id for group in cloud.groups for rule in group.rules]
    # Supplementary interfaces are listed without a filter: a row that shows no group has none.
    rows += [one.id for one in cloud.interfaces if one.kind != "supplementary"]
    spelling = {
        "upper_ids": rng.part(groups, 0.5),
        "no_page_info": True,
        "denied_lists_refused": True,
        "v1_absent": True,
    }
    hiding = {
        "silent_rows": rng.part(rows, 0.2),
        "granted_eps": ["0"],
        "subs_absent": True,
    }
    cloud.quirks |= {key: spelling[key] for key in rng.part(list(spelling), 0.4)}
    chosen = {key: hiding[key] for key in rng.part(list(hiding), 0.2)}
    cloud.quirks |= chosen
    if "silent_rows" in chosen:
        # Without a filter that works, nothing at all tells of such a row.
        cloud.quirks.pop("ignored_filters", None)
    if "granted_eps" in chosen:
        ids = [*groups, *(one.id for one in cloud.interfaces)]
        cloud.quirks["enterprise_projects"] = dict.fromkeys(rng.part(ids, 0.4), "eps-1")
    if rng.chance(0.25):
        cloud.accounts[0].denied = rng.some(_LISTS, 1, 3)
        is_hiding = True
    return is_hiding or bool(chosen)


HUAWEI_HIDDEN = replace(HUAWEI, quirks=_quirks)
