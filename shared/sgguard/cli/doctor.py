"""``sgguard doctor``: can a verdict from here be trusted?"""

from __future__ import annotations

import shutil
import sys
from functools import partial

import click

from sgguard.cli.exit_codes import ERROR
from sgguard.cli.options import JSON_OPTION, POLICY_OPTION, epilog, from_options
from sgguard.cli.output import print_json
from sgguard.operations.doctor import UNWRAPPED, cloud_regions, examine, to_json, to_text
from sgguard.wire.parallel import parallel

_UNTRUSTED = 1


@click.command(
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
@POLICY_OPTION
@JSON_OPTION
def doctor(
    named: tuple[str, ...], regions: tuple[str, ...], policy: str | None, *, as_json: bool
) -> int:
    """Check for each cloud whether verdicts can be trusted: credentials, permissions, clock, reach.

    Below the table is one line for each problem, with what to do about it. All calls are
    harmless: lists of one row, reads of ids that cannot exist, documented dry runs. Nothing is
    changed.
    """
    context = from_options(policy)
    examined = cloud_regions(context.env, named, regions)
    checkups = parallel([partial(examine, one, context) for one in examined])
    if as_json:
        print_json(to_json(checkups))
    else:
        click.echo(to_text(checkups, _width()))
    if not all(checkup.is_set_up for checkup in checkups):
        return ERROR
    return 0 if all(checkup.is_trusted for checkup in checkups) else _UNTRUSTED


def _width() -> int:
    """Return the terminal's width; for a pipe or a file, one that never wraps a finding."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    return shutil.get_terminal_size().columns if is_terminal else UNWRAPPED
