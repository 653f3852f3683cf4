from __future__ import annotations

import pytest

from sgguard.errors import SettingsError
from sgguard.model.codes import Mode
from sgguard.settings import SETTINGS, Settings, unknown_variables, variable_part

PROVIDERS = ("tencent", "tencent-dfw")


def test_an_empty_environment_gives_the_defaults_of_the_table():
    defaults = {setting.name: setting.default for setting in SETTINGS}
    stated = Settings.from_env({n: v for n, v in defaults.items() if "<" not in n})
    assert Settings.from_env({}) == stated == Settings()


def test_every_setting_is_read():
    settings = Settings.from_env(
        {
            "SGGUARD_POLICY": "/etc/sgguard/policy.toml",
            "SGGUARD_MODE": "Enforce",
            "SGGUARD_STORE": "postgresql://guard:pw@db/guard",
            "SGGUARD_KEEP_DAYS": "30",
            "SGGUARD_DEADLINE_S": "2.5",
            "SGGUARD_PACE": "0.25",
            "SGGUARD_MAX_BODY_BYTES": "100",
            "SGGUARD_LOG_LEVEL": "debug",
            "SGGUARD_ACCOUNT_TENCENT_DFW": "blue",
        }
    )
    assert settings == Settings(
        policy_path="/etc/sgguard/policy.toml",
        mode=Mode.ENFORCE,
        store_url="postgresql://guard:pw@db/guard",
        keep_days=30,
        deadline_s=2.5,
        pace=0.25,
        max_body_bytes=100,
        log_level="DEBUG",
        accounts={"tencent-dfw": "blue"},
    )


def test_a_blank_variable_counts_as_not_set():
    assert Settings.from_env({"SGGUARD_MODE": " ", "SGGUARD_DEADLINE_S": ""}) == Settings()


@pytest.mark.parametrize(
    ("env", "path"),
    [
        ({"HOME": "/home/ada"}, "/home/ada/.local/state/sgguard/sgguard.db"),
        ({"HOME": "/"}, "/.local/state/sgguard/sgguard.db"),
        ({"HOME": "/home/ada", "XDG_STATE_HOME": "/var/ada"}, "/var/ada/sgguard/sgguard.db"),
        (
            {"HOME": "/home/ada", "XDG_STATE_HOME": "var"},
            "/home/ada/.local/state/sgguard/sgguard.db",
        ),
        ({"HOME": "/home/ada", "XDG_STATE_HOME": ""}, "/home/ada/.local/state/sgguard/sgguard.db"),
        ({"XDG_STATE_HOME": "/a b?#%/"}, "/a%20b%3F%23%25/sgguard/sgguard.db"),
    ],
)
def test_without_a_store_there_is_one_in_the_folder_for_state(env, path):
    assert Settings.from_env(env).store_url == f"sqlite:///{path}"
    assert (
        Settings.from_env({**env, "SGGUARD_STORE": "sqlite:///x.db"}).store_url == "sqlite:///x.db"
    )


@pytest.mark.parametrize("env", [{}, {"HOME": ""}, {"HOME": "here"}, {"XDG_STATE_HOME": "here"}])
def test_without_a_home_there_is_no_store(env):
    assert Settings.from_env(env).store_url is None


def test_the_password_of_the_store_is_not_shown():
    settings = Settings.from_env({"SGGUARD_STORE": "postgresql://guard:s3cret@db/guard"})
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SGGUARD_MODE", "yolo", "observe, approve, enforce"),
        ("SGGUARD_DEADLINE_S", "soon", "seconds greater than 0"),
        ("SGGUARD_DEADLINE_S", "0", "seconds greater than 0"),
        ("SGGUARD_DEADLINE_S", "-1", "seconds greater than 0"),
        ("SGGUARD_DEADLINE_S", "nan", "seconds greater than 0"),
        ("SGGUARD_DEADLINE_S", "inf", "seconds greater than 0"),
        ("SGGUARD_PACE", "0", "a part of the rate greater than 0"),
        ("SGGUARD_PACE", "fast", "a part of the rate greater than 0"),
        ("SGGUARD_KEEP_DAYS", "6", "a number of days, at least 7"),
        ("SGGUARD_KEEP_DAYS", "7.5", "a number of days, at least 7"),
        ("SGGUARD_KEEP_DAYS", "forever", "a number of days, at least 7"),
        ("SGGUARD_KEEP_DAYS", "9" * 7, "a number of days, at least 7"),
        ("SGGUARD_MAX_BODY_BYTES", "1MiB", "a number of bytes"),
        ("SGGUARD_MAX_BODY_BYTES", "0", "a number of bytes"),
        ("SGGUARD_MAX_BODY_BYTES", "²", "a number of bytes"),
        ("SGGUARD_LOG_LEVEL", "LOUD", "DEBUG, INFO, WARNING, ERROR"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_what_could(name, value, expected):
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({name: value})
    assert name in str(caught.value)
    assert value in str(caught.value)
    assert expected in str(caught.value)


def test_misspelt_variables_are_found_and_others_left_alone():
    env = {
        "SGGUARD_MOD": "enforce",
        "SGGUARD_ENDPOINT_TENCENT_DWF": "http://127.0.0.1:1",
        "SGGUARD_ENDPOINT_": "",
        "SGGUARD_ENDPOINT_TENCENT_DFW": "http://127.0.0.1:1",
        "SGGUARD_ENDPOINT_TENCENT_VPC": "http://127.0.0.1:1",
        "SGGUARD_ACCOUNT_TENCENT": "blue",
        "SGGUARD_MODE": "enforce",
        "PATH": "/bin",
    }
    assert unknown_variables(env, PROVIDERS) == (
        "SGGUARD_ENDPOINT_",
        "SGGUARD_ENDPOINT_TENCENT_DWF",
        "SGGUARD_MOD",
    )


def test_a_provider_is_written_in_capitals_with_underscores_in_variables():
    assert [variable_part(name) for name in PROVIDERS] == ["TENCENT", "TENCENT_DFW"]
