"""``sgguard doctor``: can a verdict from here be trusted?"""

from __future__ import annotations

from functools import partial

import click

from sgguard.cli import terminal
from sgguard.cli.command import command
from sgguard.cli.exit_codes import ERROR
from sgguard.cli.options import JSON_OPTION, POLICY_OPTION, environment, epilog, from_options
from sgguard.cli.output import print_json
from sgguard.errors import SettingsError
from sgguard.operations.doctor import (
    UNWRAPPED,
    account_regions,
    examine,
    examine_here,
    here_lines,
    to_json,
    to_text,
)
from sgguard.wire.parallel import parallel

_UNTRUSTED = 1


@command(
    short_help="Check credentials, permissions and clock.",
    epilog="""\b
Columns of the table:
  trust   whether verdicts about this cloud can be trusted
  reach   whether its API endpoints respond
  clock   the error of this machine's clock; clouds accept at most 5 or 15 minutes
  read    permissions for verdicts: granted of all
  change  permissions for remedies: granted of all (?: only a change would show it)
  sees    rules and bindings of this project only, of the account, or of the whole cloud
  limits  read live from the cloud, or taken from its documentation (docs)

\b
Without --region, the variable of the cloud's own tools gives it: TENCENTCLOUD_REGION,
ALIBABA_CLOUD_REGION_ID, HUAWEICLOUD_SDK_REGION (HW_REGION_NAME), OS_REGION_NAME.

"""
    + epilog(
        "sgguard doctor",
        "sgguard doctor --provider tencent --region ap-guangzhou --region ap-beijing",
        "sgguard doctor --provider alibaba --region cn-hangzhou --provider huawei --region eu-de",
        "sgguard doctor --account shop --provider tencent --region ap-guangzhou",
        "sgguard doctor --json | jq '.clouds[].permissions[] | select(.state != \"granted\")'",
        exit_codes="0 every verdict can be trusted, 1 one cannot, 2 something is not set up",
    ),
)
@click.option(
    "--provider",
    "named",
    metavar="NAME",
    multiple=True,
    help="The cloud; repeatable. Default: every one whose credentials are set.",
)
@click.option(
    "--region",
    "regions",
    metavar="NAME",
    multiple=True,
    help="The region: one for each --provider, or several of one.",
)
@click.option(
    "--account",
    "accounts",
    metavar="NAME",
    multiple=True,
    help="An account of SGGUARD_ACCOUNTS; repeatable. Default: every one.",
)
@POLICY_OPTION
@JSON_OPTION
def doctor(
    named: tuple[str, ...],
    regions: tuple[str, ...],
    accounts: tuple[str, ...],
    policy: str | None,
    *,
    as_json: bool,
) -> int:
    """Check whether verdicts can be trusted: credentials, permissions, clock, reach, settings.

    Below the table is one line for each problem, with what to do about it: of each cloud, and of
    this machine's settings, policy, store, clock and approval key. All calls are harmless: lists
    of one row, reads of ids that cannot exist, documented dry runs. Nothing is changed, and no
    store is made.
    """
    if policy is not None:  # what is named here must be there
        from_options(policy)
    here = examine_here(environment(policy))
    try:
        context = here.context
        examined = account_regions(
            context.env, context.accounts, named=named, regions=regions, asked=accounts
        )
    except SettingsError:
        for one in here_lines([one for one in here.findings if one.weight != "note"]):
            terminal.say(one)
        raise
    with terminal.waiting(", ".join(f"{one.provider} {one.region}" for one in examined)):
        checkups = parallel([partial(examine, one, here.context) for one in examined])
    if as_json:
        print_json(to_json(checkups, here.findings))
    else:
        text = to_text(checkups, terminal.width_of_terminal() or UNWRAPPED, here.findings)
        terminal.say(text)
    if not (here.is_set_up and all(checkup.is_set_up for checkup in checkups)):
        return ERROR
    is_trusted = here.is_trusted and all(checkup.is_trusted for checkup in checkups)
    return 0 if is_trusted else _UNTRUSTED
