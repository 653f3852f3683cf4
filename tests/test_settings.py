from __future__ import annotations

import pytest

from sgguard.decision import Mode
from sgguard.errors import SettingsError
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
        deadline_s=2.5,
        pace=0.25,
        max_body_bytes=100,
        log_level="DEBUG",
        accounts={"tencent-dfw": "blue"},
    )


def test_a_blank_variable_counts_as_not_set():
    assert Settings.from_env({"SGGUARD_MODE": " ", "SGGUARD_DEADLINE_S": ""}) == Settings()


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
