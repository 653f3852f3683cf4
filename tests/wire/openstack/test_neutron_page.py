"""Paging: a list is complete, whatever the page size, or an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.errors import CloudError, ForbiddenError, UnavailableError, UnknownShapeError
from sgguard.wire.openstack.neutron import page as marker_page
from sgguard.wire.openstack.neutron.page import MAX_STARTS, read_all
from sgguard.wire.shape import Shape

SHAPE = Shape("openstack", "GET /v2.0/ports")


class Server:
    """Pages like Neutron; ``vanish`` deletes rows before that call, counted from 1.

    With ``refuses`` a marker of a row that is gone is a 400, as on Neutron's copies.
    """

    def __init__(self, ids, size, vanish=None, *, refuses=False):
        self.ids, self.size, self.vanish = sorted(ids), size, vanish or {}
        self.calls, self.refuses = [], refuses

    def __call__(self, params):
        self.calls.append(list(params))
        gone = self.vanish.get(len(self.calls), ())
        self.ids = [i for i in self.ids if i not in gone]
        marker = dict(params).get("marker")
        if marker and marker not in self.ids and self.refuses:
            raise CloudError("openstack", "GET /v2.0/ports", code="HTTPBadRequest", status=400)
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


@pytest.mark.parametrize("refuses", [False, True], ids=["begins again", "refuses"])
@pytest.mark.parametrize("vanish", [{2: "b"}, {3: "d"}, {2: "b", 5: "d"}, {3: "cd"}], ids=str)
def test_a_marker_deleted_between_two_pages_loses_nothing(vanish, refuses):
    # Its marker means nothing any more: Neutron begins at page one again with a 200, its copies
    # answer 400 (cf-networking-release #127: entries were skipped when rows went while paging).
    server = Server("abcdef", 2, vanish=vanish, refuses=refuses)
    read = ids_of(read_all(server, [], "ports", SHAPE))
    assert set(server.ids) <= set(read) <= set("abcdef")
    assert len(read) == len(set(read))


@given(
    st.sets(st.sampled_from("abcdefghij"), min_size=1),
    st.integers(1, 4),
    st.dictionaries(st.integers(2, 12), st.sampled_from("abcdefghij"), max_size=2),
    st.booleans(),
)
def test_rows_that_go_while_a_list_is_read_never_hide_one_that_stays(ids, size, vanish, refuses):
    server = Server(ids, size, vanish=vanish, refuses=refuses)
    read = ids_of(read_all(server, [], "ports", SHAPE))
    assert set(server.ids) <= set(read) <= ids


def test_markers_that_are_refused_for_ever_are_that_error():
    def refusing(params):
        if dict(params).get("marker"):
            raise CloudError("openstack", "GET /v2.0/ports", code="HTTPBadRequest", status=400)
        return {"ports": [{"id": "a"}], "ports_links": [{"rel": "next", "href": "?marker=a"}]}

    calls = []
    with pytest.raises(CloudError) as caught:
        read_all(lambda p: calls.append(p) or refusing(p), [], "ports", SHAPE)
    assert (caught.value.code, len(calls)) == ("HTTPBadRequest", 2 * MAX_STARTS)


@pytest.mark.parametrize("kind", [ForbiddenError, UnavailableError])
def test_any_other_error_in_the_middle_of_a_list_is_that_error_at_once(kind):
    def breaking(params):
        if dict(params).get("marker"):
            raise kind("openstack", "GET /v2.0/ports", status=403)
        return {"ports": [{"id": "a"}], "ports_links": [{"rel": "next", "href": "?marker=a"}]}

    calls = []
    with pytest.raises(kind):
        read_all(lambda p: calls.append(p) or breaking(p), [], "ports", SHAPE)
    assert len(calls) == 2


def test_a_first_page_that_is_refused_is_not_asked_again():
    def refusing(params):
        raise CloudError("openstack", "GET /v2.0/ports", code="HTTPBadRequest", status=400)

    calls = []
    with pytest.raises(CloudError):
        read_all(lambda p: calls.append(p) or refusing(p), [], "ports", SHAPE)
    assert len(calls) == 1


def test_a_list_that_never_ends_is_an_error(monkeypatch):
    monkeypatch.setattr(marker_page, "MAX_PAGES", 50)
    calls = []

    def endless(params):
        calls.append(params)
        return {"ports": [], "ports_links": [{"rel": "next", "href": f"?marker={len(calls)}"}]}

    with pytest.raises(UnknownShapeError, match="50 pages"):
        read_all(endless, [], "ports", SHAPE)
    assert len(calls) == 50


def test_an_empty_page_with_a_next_link_is_not_the_end():
    pages = iter(
        [
            {"ports": [], "ports_links": [{"rel": "next", "href": "?marker=a"}]},
            {"ports": [{"id": "b"}]},
        ]
    )
    assert ids_of(read_all(lambda _: next(pages), [], "ports", SHAPE)) == ["b"]


def test_of_a_row_that_comes_twice_the_later_one_counts():
    pages = iter(
        [
            {
                "ports": [{"id": "a", "security_groups": []}],
                "ports_links": [{"rel": "next", "href": "?marker=a"}],
            },
            {"ports": [{"id": "a", "security_groups": ["x"]}]},
        ]
    )
    (row,) = read_all(lambda _: next(pages), [], "ports", SHAPE)
    assert row["security_groups"] == ["x"]


@pytest.mark.parametrize(
    "href",
    [
        "https://evil.example/v2.0/ports?marker=b&security_groups=y",
        "http://inside:9696/v2.0/networks?security_groups=x&marker=b",
        "?marker=b",
        "?marker=b&page_reverse=True&limit=1",
    ],
    ids=["another host", "another list", "no filters", "backwards"],
)
def test_a_link_gives_its_marker_and_nothing_else(href):
    # Behind proxies a link names hosts of the inside, and a repeated filter may keep one value.
    asked = []

    def two_pages(params):
        asked.append(list(params))
        links = [] if len(asked) > 1 else [{"rel": "next", "href": href}]
        return {"ports": [{"id": str(len(asked))}], "ports_links": links}

    filters = [("security_groups", "x"), ("security_groups", "y")]
    read_all(two_pages, filters, "ports", SHAPE)
    assert asked == [filters, [*filters, ("marker", "b")]]


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
        {"ports": [], "ports_links": [{"href": "http://h/v2.0/ports?marker=a"}]},
        {"ports": [], "ports_links": [{"rel": ["next"], "href": "http://h/v2.0/ports?marker=a"}]},
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
