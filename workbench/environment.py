"""Every environment variable the product reads: its type, its default and what is said when it is wrong.

Owns reading and validating the environment, and nothing else: what the values mean for Django stands in
`workbench.settings`, the only importer. `.env.example` lists the same variables for people, and a test keeps the
two equal. AWS's own variables (keys, endpoints) are boto3's to read; only the region is shown here.
"""

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

HANDLER_OPTION = re.compile(r"^WORKBENCH_HANDLER_(?P<name>[A-Z0-9_]+?)__(?P<field>[A-Z0-9_]+)$")
OWN_PREFIX = "WORKBENCH_"
TEST_PREFIX = "WORKBENCH_TEST_"  # where the tests' own servers are; tests/conftest.py reads these
BEDROCK_MODEL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,2047}")
LARGEST_FILE = 60 << 20  # bytes: `serve` cuts a body off at 64 MiB
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")


class EnvironmentInvalid(ImproperlyConfigured):
    """One or more environment variables can't be used; the message names each, what is wrong and what to do."""


def _split(value: Any) -> Any:
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    return value


def _check_origin(origin: str) -> str:
    parts = urlsplit(origin)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or parts.query:
        raise ValueError(f"{origin!r} is not an origin; write scheme and host only, like https://chat.example.org")
    return origin


def _check_database_url(url: SecretStr) -> SecretStr:
    text = url.get_secret_value()
    if text.startswith("sqlite:") and ":memory:" in text:
        raise ValueError("an in-memory SQLite can't be shared by threads; name a file: sqlite:////path/to/file.sqlite3")
    if text and not text.startswith(("sqlite:///", "postgres://", "postgresql://")):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    return url


def _check_redis_url(url: SecretStr) -> SecretStr:
    if url.get_secret_value() and not url.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return url


def _check_bedrock_model(entry: str) -> str:
    model_id, _, label = entry.partition("=")
    if not BEDROCK_MODEL_ID.fullmatch(model_id.strip()) or (label and not label.strip()):
        raise ValueError(f"{entry!r} is not a model; write its id, or id=label, like amazon.nova-lite-v1:0=Nova Lite")
    return entry


def _check_metrics_token(token: SecretStr) -> SecretStr:
    if token.get_secret_value() and len(token.get_secret_value()) < 16:
        raise ValueError("is too easy to guess; write 16 or more random characters")
    return token


def _check_openai_url(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.username):
        raise ValueError("must be where the server's API begins, like http://localhost:11434/v1")
    return url


def _check_openai_model(entry: str) -> str:
    model_id, is_labelled, label = entry.partition("=")
    if not model_id.strip() or len(model_id.split()) > 1 or (is_labelled and not label.strip()):
        raise ValueError(f"{entry!r} is not a model; write its id, or id=label, like llama3.2=Llama 3.2")
    return entry


def _check_is_file(path: Path | None) -> Path | None:
    if path is not None and not path.is_file():
        raise ValueError("there is no such file; docs/models.md, “What an answer costs”, shows its form")
    return path


Words = Annotated[list[str], NoDecode, BeforeValidator(_split)]
Origins = Annotated[list[Annotated[str, AfterValidator(_check_origin)]], NoDecode, BeforeValidator(_split)]
BedrockModels = Annotated[list[Annotated[str, AfterValidator(_check_bedrock_model)]], NoDecode, BeforeValidator(_split)]
OpenAIUrl = Annotated[str, AfterValidator(_check_openai_url)]
OpenAIModels = Annotated[list[Annotated[str, AfterValidator(_check_openai_model)]], NoDecode, BeforeValidator(_split)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_check_database_url)]
RedisUrl = Annotated[SecretStr, AfterValidator(_check_redis_url)]
MetricsToken = Annotated[SecretStr, AfterValidator(_check_metrics_token)]
PriceFile = Annotated[Path | None, AfterValidator(_check_is_file)]
SigningService = Annotated[str, Field(pattern="^(es|aoss)?$")]
FileBytes = Annotated[int, Field(gt=0, le=LARGEST_FILE)]
LogLevel = Annotated[str, BeforeValidator(str.upper), Field(pattern="^(DEBUG|INFO|WARNING|ERROR|CRITICAL)$")]


class Environment(BaseSettings):
    """The variables, each a field of the same name in lower case. Durations are seconds."""

    model_config = SettingsConfigDict(case_sensitive=False, env_ignore_empty=True, frozen=True)

    debug: bool = False
    secret_key: SecretStr = SecretStr("")
    allowed_hosts: Words = list(LOOPBACK_HOSTS)
    csrf_trusted_origins: Origins = []

    database_url: DatabaseUrl = SecretStr("")
    redis_url: RedisUrl = SecretStr("")
    media_root: Path | None = None
    workbench_files_bucket: str = ""
    workbench_files_prefix: str = ""

    aws_region: str = ""
    workbench_bedrock_models: BedrockModels = []
    openai_base_url: OpenAIUrl = ""
    openai_api_key: SecretStr = SecretStr("")
    workbench_openai_models: OpenAIModels = []
    opensearch_url: SecretStr = SecretStr("")
    opensearch_aws_service: SigningService = ""

    workbench_extra_handlers: Words = []
    workbench_default_task: str = "chat"
    workbench_default_model: str = "offline"
    workbench_titles: bool = True
    workbench_title_model: str = ""
    workbench_prices_file: PriceFile = None

    workbench_allowed_origins: Origins = []
    workbench_https: bool | None = None
    workbench_trust_proxy: bool = False

    workbench_run_timeout: PositiveFloat = 600.0
    workbench_first_event_timeout: PositiveFloat = 120.0
    workbench_idle_timeout: PositiveFloat = 120.0
    workbench_model_first_token_timeout: PositiveFloat = 90.0
    workbench_model_idle_timeout: PositiveFloat = 90.0
    workbench_max_runs: PositiveInt = 200
    workbench_rate_limits: bool = True
    workbench_max_runs_per_user: NonNegativeInt = 10
    workbench_max_sockets_per_user: NonNegativeInt = 20
    workbench_max_starts_per_minute: NonNegativeInt = 6_000
    workbench_max_tokens_per_day: NonNegativeInt = 0
    workbench_max_failed_logins: NonNegativeInt = 100
    workbench_max_file_bytes: FileBytes = 20 << 20
    workbench_max_files_per_message: NonNegativeInt = 10
    workbench_max_storage_per_user: NonNegativeInt = 1 << 30
    workbench_shutdown_grace: Annotated[float, Field(ge=0)] = 10.0

    workbench_metrics_token: MetricsToken = SecretStr("")
    workbench_log_level: LogLevel = "INFO"
    workbench_log_format: Annotated[str, Field(pattern="^(text|json)$")] = "text"
    workbench_env_file: Path | None = None

    @property
    def https(self) -> bool:
        """Whether browsers reach the site by HTTPS: as WORKBENCH_HTTPS says, else on as soon as ALLOWED_HOSTS
        names a host that isn't this machine (DEBUG is for this machine)."""
        if self.workbench_https is not None:
            return self.workbench_https
        return not self.debug and any(host not in LOOPBACK_HOSTS for host in self.allowed_hosts)


def load_environment() -> Environment:
    """Read and check the process's environment, the file that WORKBENCH_ENV_FILE names included.

    Raises EnvironmentInvalid with one line per variable. Values of secret variables are never repeated in it.
    """
    path = os.environ.get("WORKBENCH_ENV_FILE")
    if path and not load_dotenv(path, override=False) and not Path(path).is_file():
        raise EnvironmentInvalid(f"WORKBENCH_ENV_FILE: there is no file {path!r}. Name a file of NAME=value lines.")
    try:
        return Environment()
    except ValidationError as error:
        lines = [_explain(problem) for problem in error.errors()]
        raise EnvironmentInvalid("\n".join(lines)) from None


def _explain(problem: Any) -> str:
    name = str(problem["loc"][0])
    field = Environment.model_fields[name]
    secret = field.annotation is SecretStr
    value = "" if secret else f"{os.environ.get(name.upper(), '')!r}: "
    reason = problem["msg"].removeprefix("Value error, ")
    return f"{name.upper()}: {value}{reason}. Change it, or unset it for the default; .env.example explains each."


def handler_options(environ: Mapping[str, str] = os.environ) -> dict[str, dict[str, str]]:
    """Options for handlers, `WORKBENCH_HANDLER_<NAME>__<FIELD>`, as {name: {field: raw text}} in lower case.

    A handler's `Config` gives the text its type. A hyphen in a handler's name is an underscore in the variable's.
    """
    options: dict[str, dict[str, str]] = {}
    for variable, value in environ.items():
        if match := HANDLER_OPTION.match(variable):
            options.setdefault(match["name"].lower(), {})[match["field"].lower()] = value
    return options


def unknown_variables(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Variables that look like ours and aren't read by anything, each with the likeliest right name ("" if none).

    A mistyped limit would otherwise be silently without effect.
    """
    known = [name.upper() for name in Environment.model_fields]
    unknown: dict[str, str] = {}
    for variable in environ:
        if not variable.startswith(OWN_PREFIX) or variable.startswith(TEST_PREFIX):
            continue
        if variable in known or HANDLER_OPTION.match(variable):
            continue
        unknown[variable] = next(iter(difflib.get_close_matches(variable, known, n=1, cutoff=0.75)), "")
    return unknown
