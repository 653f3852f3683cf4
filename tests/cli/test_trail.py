"""``sgguard decisions`` as an operator asks: by pattern, person and time, by short ids, as CSV."""

from __future__ import annotations

import csv
import io
import json
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sgguard import schemas
from sgguard.operations import trail
from sgguard.store import open_store
from sgguard.store.rows import Record
from tests.commands import place, sgguard
from tests.stores import a_record

__all__ = ["place", "sgguard"]  # fixtures

WEB = "tencent::ap-guangzhou:sg-5ua9adfv"


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.fixture
def month(place):
    """Decisions of a March, the oldest first."""
    rows = {
        "aaaa0001": ("2027-02-28T23:30:00+00:00", "ada", (WEB,)),
        "aaaa0002": ("2027-03-01T00:30:00+00:00", "ada", ("alibaba::cn-hangzhou:sg-bp1",)),
        "bbbb0003": ("2027-03-31T21:30:00+00:00", "bob", (WEB, "tencent::ap-beijing:sg-2")),
        "cccc0004": ("2027-03-31T22:30:00+00:00", "=cmd()", ("tencent::ap-beijing",)),
        "dddd0005": ("2027-04-01T00:30:00+00:00", "", ("tencent:acme:ap-beijing:ins-1",)),
    }
    for decision_id, (moment, requester, target) in rows.items():
        record = a_record(decision_id, at_s=at(moment), requester=requester, target=target)
        place.store.keep(record)
    return place


def found(sgguard, *options):
    code, out, err = sgguard("decisions", "list", *options, "--json")
    assert (code, err) == (0, "")
    return [one["decision_id"][-1] for one in json.loads(out)]


@pytest.mark.usefixtures("month")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--target", WEB], "31"),
        (["--target", "*:sg-5ua9adfv"], "31"),
        (["--target", "tencent::ap-beijing:*"], "3"),
        (["--target", "tencent:*"], "5431"),
        (["--target", "tencent::ap-beijing"], "4"),
        (["--target", "*sg-bp*"], "2"),
        (["--target", "[at]*:ap-*"], "5431"),
        (["--requester", "ada"], "21"),
        (["--requester", "*b*"], "3"),
        (["--since", "2027-03-01", "--until", "2027-03-31", "--zone", "UTC"], "432"),
        (["--since", "2027-03-01", "--until", "2027-03-31", "--zone", "Europe/Berlin"], "321"),
        (["--since", "2027-03-01T00:00:00Z", "--until", "2027-03-01T00:30:00Z"], ""),
        (["--since", "2027-03-01T00:30:00Z", "--until", "2027-03-01T00:30:01Z"], "2"),
        (["--requester", "ada", "--limit", "1"], "2"),
    ],
    ids=" ".join,
)
@pytest.mark.sampled(6)
def test_decisions_are_found_by_pattern_person_and_time(sgguard, options, expected):
    assert found(sgguard, *options) == list(expected)


@pytest.mark.usefixtures("month")
def test_a_day_without_a_zone_is_one_of_this_machine(sgguard, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert found(sgguard, "--since", "2027-04-01", "--until", "2027-04-01") == list("543")
        out = sgguard("decisions", "list", "--limit", "1")[1]
        assert "2027-04-01 09:30 JST" in out
        assert "2027-04-01 00:30 UTC" in sgguard("decisions", "list", "--zone", "utc")[1]
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "target",
    [
        "sg-5ua9adfv",
        "tencnt::ap-guangzhou:sg-1",
        "tencnt::*",
        "sg-*",
        "mars*",
        "tencent::ap-guangzhou:sg-1:x",
        "*:*:*:*:*",
        "tencent::ap-guangzhou:",
        "tencent",
        "tencent::",
        "tencent::ap guangzhou:sg-1",
    ],
)
@pytest.mark.sampled(4)
def test_a_target_that_cannot_be_one_is_refused(place, sgguard, target):
    code, out, err = sgguard("decisions", "list", "--target", target)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "no decision can be about" in err
    assert "provider:account:region:group-id" in err


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "", "CEST+1"])
def test_a_zone_that_is_none_is_refused(place, sgguard, zone):
    code, out, err = sgguard("decisions", "list", "--zone", zone)
    assert (code, out) == (2, "")
    assert "is no time zone" in err


# -- ids -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("month")
def test_an_id_is_shortened_where_one_decision_begins_so(sgguard):
    for given_id in ("bbbb0003", "bbbb", "bbbb0", "bbbb…", "bbbb..."):
        shown = json.loads(sgguard("decisions", "show", given_id, "--json")[1])
        assert shown["requested_by"] == "bob"


@pytest.mark.usefixtures("month")
@pytest.mark.parametrize(
    ("given_id", "said"),
    [
        ("aaaa", "several decisions begin with 'aaaa': aaaa0001, aaaa0002"),
        ("aaa", "several decisions begin with 'aaa': aaaa0001, aaaa0002"),
        ("bbb", "4 characters or more"),
        ("zzzz", "there is no decision 'zzzz'"),
        ("%", "there is no decision '%'"),
        ("____", "there is no decision '____'"),
        ("AAAA0001", "there is no decision"),
    ],
)
@pytest.mark.sampled(4)
def test_an_id_that_fits_none_or_several_is_refused(sgguard, given_id, said):
    for command in (["decisions", "show"], ["restore"]):
        code, out, err = sgguard(*command, given_id)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert said in err


def test_an_approval_is_found_by_a_short_id_too(place, sgguard):
    asked = place.asked()
    short = asked.approval_id[:6]
    assert asked.approval_id in sgguard("approvals", "show", short)[1]
    linked = json.loads(sgguard("approvals", "link", short, "--json")[1])
    assert linked["approval_id"] == asked.approval_id
    assert sgguard("approvals", "approve", short)[0] == 0
    assert place.approval(asked.approval_id).state == "approved"


# -- documents -----------------------------------------------------------------------------


def test_a_row_has_the_field_names_of_the_decision_document(place, sgguard):
    asked = place.asked()
    [row] = json.loads(sgguard("decisions", "list", "--json")[1])
    document = place.document(asked)
    known = {name: document[name] for name in row if name in document}
    assert row == {**row, **known}
    assert set(row) - set(document) == {"source", "requested_by"}


@pytest.mark.usefixtures("month")
def test_a_month_is_a_csv_for_a_spreadsheet(sgguard, tmp_path):
    path = tmp_path / "march.csv"
    span = ["--since", "2027-03-01", "--until", "2027-03-31", "--zone", "Europe/Berlin"]
    code, out, err = sgguard("decisions", "list", *span, "--csv", "--output", str(path))
    assert (code, out, err) == (0, "", "")
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert [one["decision_id"] for one in rows] == ["bbbb0003", "aaaa0002", "aaaa0001"]
    assert rows[0]["decided_at"] == "2027-03-31T23:30:00+02:00"
    assert rows[0]["target"] == f"{WEB} tencent::ap-beijing:sg-2"


@pytest.mark.usefixtures("month")
def test_no_text_of_others_is_a_formula_or_a_second_line(month, sgguard):
    month.store.keep(
        a_record("eeee", requester="a\n+1", document_json='{"note": "@x\\r\\ny,\\"z"}')
    )
    rows = list(csv.DictReader(io.StringIO(sgguard("decisions", "list", "--csv")[1])))
    by_id = {one["decision_id"]: one for one in rows}
    assert len(rows) == 6
    assert by_id["cccc0004"]["requested_by"] == "'=cmd()"
    assert by_id["eeee"]["requested_by"] == "a +1"
    assert by_id["eeee"]["note"] == "'@x y,\"z"


# -- pages ---------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 5), max_size=40), st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_pages_lose_and_repeat_nothing_however_many_share_a_moment(moments, size):
    class Rows:
        """Pages as the store gives them."""

        def __init__(self) -> None:
            self.rows = sorted(
                (a_record(f"{n:04}", at_s=float(moment)) for n, moment in enumerate(moments)),
                key=lambda one: (one.at_s, one.decision_id),
                reverse=True,
            )

        def decisions(self, query) -> tuple[Record, ...]:
            fitting = [r for r in self.rows if query.before_s is None or r.at_s < query.before_s]
            return tuple(fitting[: query.limit])

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(trail, "_PAGE", size)
        store = Rows()
        assert list(trail.decisions(store, trail.Wanted())) == store.rows


def test_a_thousand_decisions_of_one_moment_are_all_listed(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'many.db'}", lambda: 1.0)
    for number in range(450):
        store.keep(a_record(f"d{number:04}"))
    ids = [one.decision_id for one in trail.decisions(store, trail.Wanted())]
    store.close()
    assert sorted(ids) == [f"d{number:04}" for number in range(450)]


# -- check --keep --------------------------------------------------------------------------


def test_a_check_prints_no_id_that_nobody_can_look_up(place, sgguard):
    out = sgguard("check", "delete", place.target)[1]
    assert "decision " not in out
    assert "event " not in out
    [decided] = json.loads(sgguard("check", "delete", place.target, "--json")[1])["decisions"]
    assert (decided["decision_id"], decided["event_id"]) == ("", "")
    assert schemas.problems("decision", decided) == ()
    assert json.loads(sgguard("decisions", "list", "--json")[1]) == []


@pytest.mark.parametrize("kind", ["delete", "launch"])
@pytest.mark.sampled(2)
def test_a_check_that_is_kept_can_be_looked_up(place, sgguard, kind):
    where = ["--provider", "tencent", "--region", "ap-guangzhou", "--group", place.world.free]
    args = [place.target] if kind == "delete" else where
    out = sgguard("check", kind, *args, "--keep", "--as", "olga", "--json")[1]
    [decided] = json.loads(out)["decisions"]
    code, out, _ = sgguard("decisions", "show", decided["decision_id"], "--json")
    assert code == 0
    shown = json.loads(out)
    assert decided.items() <= shown.items()
    assert (shown["source"], shown["requested_by"]) == ("check", "olga")


def test_the_local_day_of_a_zone_with_summer_time_is_whole(month, sgguard):
    # Europe/Berlin is UTC+1 before and UTC+2 after the 28th of March 2027
    moment = datetime(2027, 3, 28, 21, 59, tzinfo=UTC)
    month.store.keep(a_record("ffff0006", at_s=moment.timestamp()))
    day = ["--since", "2027-03-28", "--until", "2027-03-28", "--zone", "Europe/Berlin"]
    assert found(sgguard, *day) == ["6"]
    assert moment.astimezone(ZoneInfo("Europe/Berlin")).day == 28
