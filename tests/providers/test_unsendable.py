"""Keys pasted with a line break, addresses that are none: said in one line, and never shown."""

from __future__ import annotations

import traceback

import pytest

from sgguard import providers
from sgguard.emulator.core import Emulator
from sgguard.emulator.server import serve
from sgguard.errors import CredentialsError, SettingsError, SgguardError, UnreachableError
from sgguard.providers.access import Access
from sgguard.render.language.sentence import whole_english
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.retry import Retry
from tests.worlds import World, openstack, world_of


@pytest.fixture(params=providers.names())
def world(request) -> World:
    return world_of(request.param)


def settings(world):
    return [name for name in world.env if "URL" not in name and "DOMAIN" not in name]


@pytest.mark.parametrize("flaw", ["\n", "\r\n", "\0", "\x7f", "\t"], ids=repr)
def test_a_key_with_a_line_break_is_named_and_not_shown(world, flaw):
    for name in settings(world):
        value = f"{world.env[name][:2]}{flaw}{world.env[name][2:]}"
        with pytest.raises(CredentialsError) as caught:
            world.connect(world.emulator(), env=world.env | {name: value}).read_groups([world.free])
        assert str(caught.value) == f"{name} holds a line break or another control character"


@pytest.mark.parametrize("flaw", ["\n", " ", "\t\r\n"], ids=repr)
def test_a_line_break_at_the_end_of_a_key_is_only_the_end_of_a_file(world, flaw):
    env = {name: f"{flaw}{value}{flaw}" for name, value in world.env.items()}
    groups = world.connect(world.emulator(), env=env).read_groups([world.free])
    assert groups.value[world.free] is not None


@pytest.mark.sampled(3)
def test_a_key_with_letters_no_request_can_carry_is_one_line_that_does_not_show_it(world):
    text = "ключ-secret"
    endpoint = f"SGGUARD_ENDPOINT_{world.provider.upper().replace('-', '_')}"
    with serve(Emulator.load(world.scenario)) as server:
        for name in settings(world):
            env = world.env | {name: text, endpoint: server.url}
            access = Access(Wire(world.provider, Deadline.after(10)), world.region, env=env)
            said = what_is_said(world, access)
            assert said
            assert text not in said


def what_is_said(world, access) -> str:
    """The error with its causes, or what could not be seen: never an empty answer."""
    try:
        seen = providers.connect(world.provider, access).read_groups([world.free])
    except SgguardError as error:
        return "".join(traceback.format_exception(error, limit=0))
    return " ".join(whole_english(unseen.why) for unseen in seen.unseen)


ADDRESSES = ["http://127.0.0.1:port", "http://", "https:///x", "http://[::1", "ftp://x", "x"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_endpoint_that_is_no_address_is_the_settings_fault(world, address):
    name = f"SGGUARD_ENDPOINT_{world.provider.upper().replace('-', '_')}"
    with pytest.raises(SettingsError, match=f"{name}=.* is not an address"):
        world.connect(world.emulator(), env=world.env | {name: address})


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_keystone_that_is_no_address_is_the_settings_fault(address):
    env = openstack.PASSWORD_ENV | {"OS_AUTH_URL": address}
    with pytest.raises(SettingsError, match="is not an address"):
        openstack.WORLD.connect(openstack.WORLD.emulator(), env=env)


def test_a_header_that_cannot_be_sent_is_not_quoted():
    secret = "TOKEN-line-1\nTOKEN-line-2"
    with serve(Emulator.load({"clouds": []})) as server:
        wire = Wire("tencent", Deadline.after(10), retry=Retry(attempts=1))
        with pytest.raises(UnreachableError) as caught:
            wire.write(
                "GET", server.url, action="x", check=lambda _: None, headers={"x-tc-token": secret}
            )
    assert "TOKEN" not in "".join(traceback.format_exception(caught.value, limit=0))
