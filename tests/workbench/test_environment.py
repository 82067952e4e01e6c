"""The environment: defaults, types, messages, and that .env.example says the same."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from workbench.environment import Environment, EnvironmentInvalid, handler_options, load_environment, unknown_variables

EXAMPLE = Path(__file__).resolve().parents[2] / ".env.example"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for name in Environment.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_nothing_set_gives_the_defaults():
    assert load_environment() == Environment.model_construct()


def test_an_empty_variable_is_as_good_as_none(monkeypatch):
    monkeypatch.setenv("WORKBENCH_MAX_RUNS", "")
    assert load_environment().workbench_max_runs == 200


@pytest.mark.parametrize(("text", "value"), [("on", True), ("1", True), ("true", True), ("off", False), ("0", False)])
def test_switches_take_the_common_words(monkeypatch, text, value):
    monkeypatch.setenv("WORKBENCH_RATE_LIMITS", text)
    assert load_environment().workbench_rate_limits is value


def test_lists_are_split_at_commas(monkeypatch):
    monkeypatch.setenv("ALLOWED_HOSTS", "chat.example.org, www.example.org,")
    assert load_environment().allowed_hosts == ["chat.example.org", "www.example.org"]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("WORKBENCH_MAX_RUNS", "many", "valid integer"),
        ("WORKBENCH_MAX_RUNS", "0", "greater than 0"),
        ("WORKBENCH_RUN_TIMEOUT", "-1", "greater than 0"),
        ("DEBUG", "perhaps", "valid boolean"),
        ("DATABASE_URL", "mysql://host/name", "sqlite:/// or postgresql://"),
        ("DATABASE_URL", "sqlite://:memory:", "name a file"),
        ("REDIS_URL", "host:6379", "redis://"),
        ("WORKBENCH_ALLOWED_ORIGINS", "chat.example.org", "scheme and host"),
        ("WORKBENCH_LOG_LEVEL", "loud", "pattern"),
        ("WORKBENCH_BEDROCK_MODELS", "two words", "write its id, or id=label"),
        ("OPENAI_BASE_URL", "localhost:11434", "must be where the server's API begins"),
        ("WORKBENCH_OPENAI_MODELS", "two words", "write its id, or id=label"),
        ("OPENSEARCH_AWS_SERVICE", "s3", "pattern"),
        ("WORKBENCH_MAX_FILE_BYTES", "100000000", "less than or equal to 62914560"),
    ],
)
def test_a_wrong_value_is_refused_by_name_with_the_reason(monkeypatch, name, value, reason):
    monkeypatch.setenv(name, value)
    with pytest.raises(EnvironmentInvalid) as refused:
        load_environment()
    assert str(refused.value).startswith(f"{name}: ")
    assert reason in str(refused.value)


def test_all_wrong_variables_are_named_at_once(monkeypatch):
    monkeypatch.setenv("WORKBENCH_MAX_RUNS", "many")
    monkeypatch.setenv("WORKBENCH_IDLE_TIMEOUT", "long")
    with pytest.raises(EnvironmentInvalid) as refused:
        load_environment()
    assert "WORKBENCH_MAX_RUNS" in str(refused.value)
    assert "WORKBENCH_IDLE_TIMEOUT" in str(refused.value)


def test_a_refused_secret_is_not_repeated(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "mysql://user:open-sesame@host/name")
    with pytest.raises(EnvironmentInvalid) as refused:
        load_environment()
    assert "open-sesame" not in str(refused.value)


@pytest.mark.parametrize(
    ("variables", "https"),
    [
        ({}, False),
        ({"ALLOWED_HOSTS": "localhost"}, False),
        ({"ALLOWED_HOSTS": "chat.example.org"}, True),
        ({"ALLOWED_HOSTS": "chat.example.org", "DEBUG": "on"}, False),
        ({"ALLOWED_HOSTS": "chat.example.org", "WORKBENCH_HTTPS": "off"}, False),
        ({"WORKBENCH_HTTPS": "on"}, True),
    ],
)
def test_https_is_expected_as_soon_as_a_real_host_is_named(monkeypatch, variables, https):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert load_environment().https is https


def test_a_file_gives_what_the_environment_does_not(monkeypatch, tmp_path):
    file = tmp_path / "variables"
    file.write_text("WORKBENCH_MAX_RUNS=7\nWORKBENCH_DEFAULT_TASK=demo\n")
    monkeypatch.setenv("WORKBENCH_ENV_FILE", str(file))
    monkeypatch.setenv("WORKBENCH_DEFAULT_TASK", "chat")
    monkeypatch.setenv("WORKBENCH_MAX_RUNS", "")  # so that monkeypatch takes away what the file sets
    monkeypatch.delenv("WORKBENCH_MAX_RUNS")
    environment = load_environment()
    assert (environment.workbench_max_runs, environment.workbench_default_task) == (7, "chat")


def test_a_file_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setenv("WORKBENCH_ENV_FILE", "/nowhere/variables")
    with pytest.raises(EnvironmentInvalid, match="WORKBENCH_ENV_FILE: there is no file '/nowhere/variables'"):
        load_environment()


def test_handler_options_are_grouped_by_handler():
    assert handler_options(
        {"WORKBENCH_HANDLER_CHAT__TEMPERATURE": "0.2", "WORKBENCH_HANDLER_WEB_SEARCH__MAX_HITS": "5", "HOME": "/"}
    ) == {"chat": {"temperature": "0.2"}, "web_search": {"max_hits": "5"}}


def test_a_mistyped_variable_is_noticed_with_the_likely_name():
    environ = {"WORKBENCH_MAX_RUN": "5", "WORKBENCH_QQQ": "", "WORKBENCH_HANDLER_X__Y": "", "WORKBENCH_TEST_X": ""}
    assert unknown_variables(environ) == {"WORKBENCH_MAX_RUN": "WORKBENCH_MAX_RUNS", "WORKBENCH_QQQ": ""}


def example_values() -> dict[str, str]:
    return dict(re.findall(r"^#([A-Z_]+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE))


def test_the_example_lists_every_variable():
    assert set(example_values()) == {name.upper() for name in Environment.model_fields}


def test_the_example_shows_the_defaults(monkeypatch):
    for name, value in example_values().items():
        monkeypatch.setenv(name, value)
    assert Environment() == Environment.model_construct()


def test_secrets_are_kept_out_of_representations(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "open-sesame")
    assert "open-sesame" not in repr(load_environment())
    assert load_environment().secret_key == SecretStr("open-sesame")
