"""Paging: a list comes back whole, whatever the page size, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.errors import UnknownShapeError
from sgguard.wire.openstack.neutron_page import MAX_STARTS, read_all
from sgguard.wire.shape import Shape

SHAPE = Shape("openstack", "GET /v2.0/ports")


class Server:
    """Pages like Neutron; ``vanish`` deletes rows after that many calls."""

    def __init__(self, ids, size, vanish=None):
        self.ids, self.size, self.vanish = sorted(ids), size, vanish or {}
        self.calls = []

    def __call__(self, params):
        self.calls.append(list(params))
        gone = self.vanish.get(len(self.calls), ())
        self.ids = [i for i in self.ids if i not in gone]
        marker = dict(params).get("marker")
        start = self.ids.index(marker) + 1 if marker in self.ids else 0
        page = self.ids[start : start + self.size]
        body = {"ports": [{"id": i} for i in page], "ports_links": []}
        if len(page) == self.size:
            query = "&".join(f"{k}={v}" for k, v in params if k != "marker")
            body["ports_links"].append(
                {"rel": "next", "href": f"http://inside:9696/v2.0/ports?{query}&marker={page[-1]}"}
            )
        return body


def ids_of(rows):
    return [row["id"] for row in rows]


@given(st.sets(st.text("abc123", min_size=1, max_size=3), max_size=25), st.integers(1, 7))
def test_page_size_never_changes_what_is_read(ids, size):
    assert ids_of(read_all(Server(ids, size), [("device_id", "x")], "ports", SHAPE)) == sorted(ids)


def test_the_filters_go_along_to_every_page():
    server = Server(["a", "b", "c"], 1)
    read_all(server, [("security_groups", "x"), ("security_groups", "y")], "ports", SHAPE)
    assert len(server.calls) == 4
    for call in server.calls:
        assert [v for k, v in call if k == "security_groups"] == ["x", "y"]


@pytest.mark.parametrize("vanish", [{2: "b"}, {3: "d"}, {2: "b", 5: "d"}, {3: "cd"}], ids=str)
def test_a_marker_deleted_between_two_pages_loses_nothing(vanish):
    # Its marker means nothing any more, and the server begins at page one again with a 200.
    server = Server("abcdef", 2, vanish=vanish)
    read = ids_of(read_all(server, [], "ports", SHAPE))
    assert set(server.ids) <= set(read) <= set("abcdef")
    assert len(read) == len(set(read))


def test_a_list_that_goes_in_circles_is_an_error_and_not_cut():
    def circling(params):
        return {"ports": [{"id": "a"}], "ports_links": [{"rel": "next", "href": "?marker=a"}]}

    calls = []
    with pytest.raises(UnknownShapeError, match=f"{MAX_STARTS} times"):
        read_all(lambda p: calls.append(p) or circling(p), [], "ports", SHAPE)
    assert len(calls) == 2 * MAX_STARTS


def test_rows_that_come_twice_count_once():
    pages = iter(
        [
            {
                "ports": [{"id": "a"}, {"id": "b"}],
                "ports_links": [{"rel": "next", "href": "?marker=b"}],
            },
            {
                "ports": [{"id": "b"}, {"id": "c"}],
                "ports_links": [{"rel": "previous", "href": "?"}],
            },
        ]
    )
    assert ids_of(read_all(lambda _: next(pages), [], "ports", SHAPE)) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ports": None},
        {"ports": {}},
        {"ports": [None]},
        {"ports": [{"name": "no id"}]},
        {"ports": [], "ports_links": None},
        {"ports": [], "ports_links": {"next": "?"}},
        {"ports": [], "ports_links": [{"rel": "next"}]},
        {"ports": [], "ports_links": [{"rel": "next", "href": "http://h/v2.0/ports"}]},
        {"ports": [], "ports_links": [{"rel": "next", "href": "http://h/v2.0/ports?marker="}]},
        {"ports": [], "ports_links": [{"rel": "next", "href": "http://[h/?marker=a"}]},
        {"security_groups": []},
        {"NeutronError": {"type": "X", "message": "with status 200", "detail": ""}},
        [],
        None,
    ],
    ids=repr,
)
def test_a_page_of_another_shape_is_refused(body):
    with pytest.raises(UnknownShapeError):
        read_all(lambda _: body, [], "ports", SHAPE)
