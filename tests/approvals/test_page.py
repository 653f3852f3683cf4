"""The page of an approval request: two languages, colours that can be read, and a picture."""

from __future__ import annotations

import html
import re
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sgguard.approvals import page, web
from sgguard.model.address import Address, Scope
from sgguard.model.facts import GroupFacts
from sgguard.model.resource import Binding, Direction, Group, Reference, Rule
from sgguard.policy.channel import ChannelPolicy
from sgguard.render.graph.model import build
from sgguard.render.graph.picture import ROWS_MAX, TARGETS_MAX, to_svg
from sgguard.render.language.words import Words, entries
from sgguard.web import problem
from tests.approvals.harness import approval_harness
from tests.deployment import CLOUDS

SCOPE = Scope("tencent", "", "gz")


def shown(here, query=(), **headers):
    asked = here.asked()
    token = web.link(asked.approval_id, "ada", "approve", here.context())
    answer = web.show("GET", {"token": token, **dict(query)}, headers, here.context)
    assert answer.status == 200
    return here.document(asked), html.unescape(answer.body.decode())


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.sampled(6)
def test_the_page_is_the_same_request_in_both_languages(cloud, tmp_path):
    with approval_harness(cloud, tmp_path) as here:
        document, text = shown(here, {"lang": "zh"})
    assert '<html lang="zh-CN">' in text
    assert "是否同意执行？" in text
    assert "同意并执行" in text
    listed = re.search(r"<ol>(.*)</ol>", text)[1]
    assert listed.count("<li>") == len(document["plan"])
    for step in document["plan"]:
        assert step["target"].rpartition(":")[2] in listed
    # Whatever is told in words of our own is Chinese: only ids, names and traffic are not.
    said = re.sub(r"<title>.*?</title>|<style>.*?</style>", "", text)
    assert not re.search(r"(?<![\w-])(rules?|groups?|would|refuse|because|delete)(?![\w-])", said)


def test_why_something_was_not_seen_is_told_in_both_languages(tmp_path):
    action = "DescribeSecurityGroupAssociationStatistics"
    with approval_harness("tencent", tmp_path) as here:
        tolerant = replace(here.policy.delete, tolerate_unseen=("no-permission",))
        here.policy = replace(here.policy, delete=tolerant)
        here.cloud.accounts[0].denied = [action]
        document, chinese = shown(here, {"lang": "zh"})
        _, english = shown(here)
        # An older version kept the English words alone: the gap has its title then.
        for one in document["facts"]["unseen"]:
            del one["sentences"]
        assert web._gap(document["facts"]["unseen"][0], Words("zh", UTC)).startswith("缺少权限：")
    gap = re.search(r"未查到的信息</h2>.*?<li>(.*?)</li>", chinese)[1]
    assert gap.startswith("关联实例统计：")
    assert f"{action} 返回 UnauthorizedOperation" in gap
    assert f"tencent {action}: UnauthorizedOperation" in english


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("", "de,en;q=0.5", "en"),
        ("", "fr", "en"),
        ("en", "zh-CN", "en"),
        ("zh", "en", "zh-CN"),
        ("xx", "zh", "zh-CN"),
        ("../en", "", "en"),
    ],
)
@pytest.mark.sampled(8)
def test_the_language_is_what_is_asked_for_or_the_browsers(asked, accepted, language, tmp_path):
    with approval_harness("tencent", tmp_path) as here:
        query = {"lang": asked} if asked else {}
        _, text = shown(here, query, **{"accept-language": accepted})
    assert f'<html lang="{language}">' in text


def test_times_are_in_the_zone_of_a_channel_of_that_language(tmp_path):
    channel = ChannelPolicy("team", "lark", language="zh", zone="Asia/Shanghai")
    with approval_harness("tencent", tmp_path) as here:
        here.policy = replace(here.policy, channels=(channel,))
        _, chinese = shown(here, {"lang": "zh"})
    assert "UTC+8" in chinese


def test_a_problem_has_a_title_in_both_languages():
    for language in ("en", "zh"):
        assert {f"problem.{slug}" for slug in problem.PROBLEMS} <= set(entries(language))
    for slug, (_, title) in problem.PROBLEMS.items():
        assert entries("en")[f"problem.{slug}"] == title


def test_the_answer_to_a_button_is_in_the_language_of_its_page(tmp_path):
    with approval_harness("tencent", tmp_path) as here:
        asked = here.asked()
        token = web.link(asked.approval_id, "ada", "deny", here.context())
        form = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}
        answer = web.submit(form, f"lang=zh&token={token}".encode(), here.context())
        assert "已拒绝，未做任何变更" in answer.body.decode()
        again = web.submit(form, f"lang=zh&token={token}".encode(), here.context())
        assert "已有人审批" in again.body.decode()


# -- colours ---------------------------------------------------------------------------------------


def luminance(colour):
    def linear(part):
        value = int(part, 16) / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(colour[at : at + 2]) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("above", "below", "least"),
    [
        ("text", "ground", 4.5),
        ("quiet", "ground", 4.5),
        ("link", "ground", 4.5),
        ("on-go", "go", 4.5),
        ("line", "ground", 3.0),
        ("go", "ground", 3.0),
    ],
)
def test_every_colour_can_be_read_on_what_it_stands_on(above, below, least, mode):
    assert contrast(page.COLOURS[above][mode], page.COLOURS[below][mode]) >= least


def test_every_colour_of_the_style_is_one_of_those():
    used = set(re.findall(r"var\(--([\w-]+)\)", page._STYLE))
    assert used == set(page.COLOURS)
    assert not re.findall(r"(?<!:)#[0-9a-f]{3,6}", re.sub(r"--[\w-]+:#\w+", "", page._STYLE))


# -- the picture -----------------------------------------------------------------------------------


def rule(number):
    return Rule(f"r{number}", Direction.INGRESS, "tcp", str(number), peer_group="sg-0")


def group(number, references=(), bindings=()):
    group_id = f"sg-{number}"
    address = Address(SCOPE, group_id)
    return GroupFacts(address, Group(group_id, f"name-{number}"), references, bindings)


def drawn(*groups, language="en"):
    return to_svg(build(groups), Words(language, UTC))


def rows(svg):
    return [html.unescape(one) for one in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


def test_what_names_a_group_and_what_it_is_bound_to_have_a_row_each():
    naming = tuple(Reference("sg-9", "web", rule=rule(n)) for n in (22, 80, 443))
    svg = drawn(group(0, naming, (Binding("instance", "ins-1", name="one"),)))
    assert rows(svg) == [
        "sg-0 (name-0)",
        "sg-9 (web)",
        "ingress tcp 22, ingress tcp 443 and 1 more",
        "ins-1 (one)",
        "bound to it (instance)",
    ]
    assert svg.count("dashed") == 1


def test_of_many_it_says_how_many_more():
    naming = tuple(Reference(f"sg-r{n}", "", rule=rule(n)) for n in range(ROWS_MAX + 3))
    held = tuple(Binding("instance", f"ins-{n}") for n in range(200))
    found = rows(drawn(group(0, naming, held)))
    assert "and 3 more" in found
    assert "3 rules" in found
    assert "200 instances" in found
    many = rows(drawn(*(group(n) for n in range(TARGETS_MAX + 5))))
    assert many[-1] == "and 5 more"


def test_a_group_about_which_nothing_is_known_is_still_drawn():
    assert rows(drawn(group(0))) == ["sg-0 (name-0)"]
    assert drawn() == ""


@given(name=st.text(max_size=80), language=st.sampled_from(["en", "zh"]))
@pytest.mark.slow
def test_no_name_is_more_than_a_text_of_the_picture(name, language):
    svg = drawn(group(0, (Reference("sg-9", name, rule=rule(1)),)), language=language)
    plain = drawn(group(0, (Reference("sg-9", "x", rule=rule(1)),)), language=language)
    assert re.findall(r"</?(\w+)", svg) == re.findall(r"</?(\w+)", plain)
    assert "\n" not in svg
