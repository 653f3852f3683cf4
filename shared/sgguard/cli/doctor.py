"""``sgguard doctor``: can a verdict from here be trusted?"""

from __future__ import annotations

import json
import shutil
import sys
from functools import partial

import click

from sgguard.cli.failure import ERROR
from sgguard.cli.options import JSON_OPTION, POLICY_OPTION, examples, from_options
from sgguard.operations import doctor as practice
from sgguard.wire.parallel import parallel

_DISTRUSTED = 1


@click.command(
    short_help="Can a verdict from here be trusted?",
    epilog="""\b
The table:
  trust   a verdict about this cloud, reached from here, can be trusted
  reach   its addresses answer
  clock   how far this machine's clock is off; clouds refuse more than 5 or 15 minutes
  read    permissions that verdicts need and these credentials have
  change  the same for remedies (?: only changing something would tell)
  sees    rules and bindings of this project only, of the account, or of the whole cloud
  limits  read live from the cloud, or known from its documents (docs)

\b
Where nobody gives a region, the variable of the cloud's own tools does: TENCENTCLOUD_REGION,
ALIBABA_CLOUD_REGION_ID, HUAWEICLOUD_SDK_REGION (HW_REGION_NAME), OS_REGION_NAME.
Exit codes: 0 every verdict can be trusted, 1 not, 2 something is not set up.

"""
    + examples(
        "sgguard doctor",
        "sgguard doctor --provider tencent --region ap-guangzhou --region ap-beijing",
        "sgguard doctor --provider alibaba --region cn-hangzhou --provider huawei --region eu-de",
        "sgguard doctor --json | jq '.clouds[].permissions[] | select(.state != \"granted\")'",
    ),
)
@click.option(
    "--provider",
    "named",
    metavar="NAME",
    multiple=True,
    help="Which cloud (repeat it for more); none: every one whose credentials are set.",
)
@click.option(
    "--region",
    "regions",
    metavar="NAME",
    multiple=True,
    help="The region to ask, one per --provider, or several of one.",
)
@POLICY_OPTION
@JSON_OPTION
def doctor(
    named: tuple[str, ...], regions: tuple[str, ...], policy: str | None, *, as_json: bool
) -> int:
    """Say of each cloud that is set up whether a verdict from here can be trusted.

    Only harmless calls are made: one-row lists, things that cannot exist, documented dry runs.
    Nothing is changed anywhere.
    """
    context = from_options(policy)
    places = practice.places(context.env, named, regions)
    checkups = parallel([partial(practice.examine, place, context) for place in places])
    if as_json:
        click.echo(json.dumps(practice.to_json(checkups), indent=2, ensure_ascii=False))
    else:
        click.echo(practice.to_text(checkups, _width()))
    if not all(checkup.is_set_up for checkup in checkups):
        return ERROR
    return 0 if all(checkup.is_trusted for checkup in checkups) else _DISTRUSTED


def _width() -> int:
    """Return the terminal's width; for a pipe or a file, one that never wraps a finding."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    return shutil.get_terminal_size().columns if is_terminal else practice.UNWRAPPED
