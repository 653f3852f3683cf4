"""``sgguard bind`` and ``sgguard unbind``: one group on many holders, or off them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from sgguard.cli import _binding as binding
from sgguard.cli import terminal
from sgguard.cli.command import command
from sgguard.cli.exit_codes import EXIT_CODES
from sgguard.cli.options import AS_OPTION, JSON_OPTION, POLICY_OPTION, epilog, from_options
from sgguard.cli.output import print_json
from sgguard.cli.records import user_name
from sgguard.engine import bind as engine
from sgguard.engine import bind_decide
from sgguard.engine.bind_decide import BindDecided
from sgguard.engine.context import Context
from sgguard.errors import SettingsError
from sgguard.events import bind as events
from sgguard.model.codes import Mode, Verdict
from sgguard.model.event import Event
from sgguard.model.request import Action, BindRequest

Json = dict[str, Any]
F = TypeVar("F", bound=Callable[..., Any])

SOURCE = "command line"
_CODES = (
    "0 every holder is as asked, 1 blocked, declined, or a holder was refused,\n"
    "2 error, 3 not carried out: it waits for an approval, or the mode is observe"
)
_OPTIONS = (
    click.argument("group", metavar="GROUP"),
    click.argument("holders", metavar="[HOLDER]...", nargs=-1),
    click.option(
        "--from",
        "file",
        metavar="FILE",
        help="Read ids of holders from FILE, or from standard input (-).",
    ),
    click.option("--tag", metavar="KEY[=VALUE]", default="", help="Holders with this tag."),
    click.option("--network", metavar="ID", default="", help="Holders of this network."),
    click.option("--name", metavar="PATTERN", default="", help="Holders with such a name: web-*."),
    click.option("--carrying", metavar="ID", default="", help="Holders that carry this group."),
    click.option("--yes", "is_sure", is_flag=True, help="Carry out without asking."),
    click.option("--dry-run", "is_dry", is_flag=True, help="Only judge and show."),
    AS_OPTION,
    POLICY_OPTION,
    JSON_OPTION,
)


def _options(function: F) -> F:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@command(
    short_help="Put a group on many holders.",
    epilog=epilog(
        "sgguard bind --dry-run tencent::ap-guangzhou:sg-5ua9adfv ins-915zrb0p ins-2zvpghhc",
        "sgguard bind --yes tencent::ap-guangzhou:sg-5ua9adfv --from instances.txt",
        "sgguard bind tencent::ap-guangzhou:sg-5ua9adfv --tag team=web --name 'web-*'",
        "sgguard bind tencent::ap-guangzhou:sg-5ua9adfv --carrying sg-b4st10n0",
        exit_codes=_CODES,
    ),
)
@_options
def bind(**options: Any) -> int:
    """Put GROUP on every HOLDER, and on those that a file names or a filter finds.

    GROUP is provider:account:region:group-id, HOLDER the id of an instance, an interface or a
    port. Every holder is judged before the first change and has a row of its own in the answer;
    one that is refused keeps none of the others from being changed. Policy and mode decide as for
    an event to the function. Filters that are given together all have to fit.

    Calls take as many holders as the cloud's API permits and are paced at its documented rate. An
    interrupted bind is finished by `sgguard resume`, and `sgguard undo` takes it back.
    """
    return _run("bind", **options)


@command(
    short_help="Take a group off many holders.",
    epilog=epilog(
        "sgguard unbind --dry-run tencent::ap-guangzhou:sg-5ua9adfv ins-915zrb0p",
        "sgguard unbind --yes tencent::ap-guangzhou:sg-5ua9adfv --carrying sg-5ua9adfv",
        exit_codes=_CODES,
    ),
)
@_options
def unbind(**options: Any) -> int:
    """Take GROUP off every HOLDER, and off those that a file names or a filter finds.

    It is `sgguard bind` the other way round. A holder that carries no other group keeps this one,
    and is named.
    """
    return _run("unbind", **options)


def _run(
    action: Action,
    *,
    group: str,
    holders: tuple[str, ...],
    file: str | None,
    by: str,
    policy: str | None,
    is_sure: bool,
    is_dry: bool,
    as_json: bool,
    **filters: str,
) -> int:
    if is_dry and is_sure:
        raise click.UsageError("--dry-run and --yes exclude each other.")
    who = "" if is_dry else user_name(by)
    data = _data(action, group, [*holders, *(_listed(file) if file else ())], filters)
    request = events.bind_request({**data, **({"requested_by": who} if who else {})})
    context = from_options(policy)
    if not is_dry and not context.settings.store_url:
        raise SettingsError("what is carried out is journalled: set SGGUARD_STORE")
    event_id = context.new_id()
    with terminal.waiting(str(request.scope)):
        decided = bind_decide.decide(
            request, context, event_id, "", since={}, is_asked=not (is_dry or is_sure)
        )
    if is_dry:
        return _judged(decided, as_json=as_json)
    require: Callable[[BindDecided], None] | None = None
    if decided.plan is not None and decided.mode is not Mode.OBSERVE and not is_sure:
        if not binding.confirmed(decided, context, as_json=as_json):
            return EXIT_CODES[Verdict.BLOCK]
        require = binding.same_as(decided)
    work = partial(_work, request, Event(event_id, data, SOURCE), require)
    document = binding.carried_out(work, policy, str(request.scope))
    return binding.ended(document, as_json=as_json)


def _work(
    request: BindRequest,
    event: Event,
    require: Callable[[BindDecided], None] | None,
    context: Context,
    report: binding.Report,
) -> Json:
    if require is None:  # nothing was shown
        return engine.bind_once(request, event, context, report=report)
    return engine.bind_once(request, event, context, report=report, require=require, is_shown=True)


def _judged(decided: BindDecided, *, as_json: bool) -> int:
    document = {**decided.document, "event_id": ""}
    if as_json:
        print_json(document)
    else:
        binding.show(document)
    return EXIT_CODES[Verdict(document["verdict"])]


def _data(action: Action, group: str, holders: list[str], filters: dict[str, str]) -> Json:
    given = {"group" if key == "carrying" else key: one for key, one in filters.items() if one}
    if not holders and not given:
        raise click.UsageError("Name a HOLDER, a file of them (--from), or a filter.")
    data: Json = {"action": action, "group": group}
    if holders:
        data["holders"] = holders
    return {**data, "filter": given} if given else data


def _listed(file: str) -> list[str]:
    """Return the ids in a file: apart by spaces, commas or lines; from # on a line is a comment.

    Raises:
        SettingsError: it cannot be read.
    """
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = os.strerror(error.errno or 0) if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f"--from {file}: {why}: name a text file with ids") from error
    lines = (line.partition("#")[0] for line in text.splitlines())
    return [one for line in lines for one in re.split(r"[\s,;]+", line) if one]
