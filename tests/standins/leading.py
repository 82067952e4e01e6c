"""The keys that stand-ins take, and the environment that leads the product to one. Imports nothing."""

REGION, ACCESS_KEY, SECRET_KEY = "us-east-1", "AKIASTANDIN000000000", "stand-in-secret"
OPENAI_KEY = "sk-stand-in-key"

BEDROCK_MODEL, OPENAI_MODEL = "anthropic.claude-stand-in-v1:0", "stand-in-small"
MODELS = {"bedrock": BEDROCK_MODEL, "openai": OPENAI_MODEL}

# What could lead elsewhere: emptied, not unset, since a variable that is set isn't read from a file.
NOWHERE = {
    "AWS_REGION": "",
    "AWS_SESSION_TOKEN": "",
    "WORKBENCH_BEDROCK_MODELS": "",
    "OPENAI_BASE_URL": "",
    "OPENAI_API_KEY": "",
    "WORKBENCH_OPENAI_MODELS": "",
    "WORKBENCH_TITLE_MODEL": "",
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}

UNSET = ("AWS_BEARER_TOKEN_BEDROCK", "AWS_PROFILE")  # these would go before the stand-in's keys, even empty


def leads_to(name: str, url: str) -> dict[str, str]:
    """The variables for the stand-in of this name at `url`, its one model the default."""
    return _bedrock(url) if name == "bedrock" else _openai(url)


def _bedrock(url: str) -> dict[str, str]:
    return {
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
        "WORKBENCH_BEDROCK_MODELS": f"{BEDROCK_MODEL}=Stand-in for Bedrock (no model)",
        "WORKBENCH_DEFAULT_MODEL": BEDROCK_MODEL,
    }


def _openai(url: str) -> dict[str, str]:
    return {
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_KEY": OPENAI_KEY,
        "WORKBENCH_OPENAI_MODELS": f"{OPENAI_MODEL}=Stand-in for OpenAI's API (no model)",
        "WORKBENCH_DEFAULT_MODEL": OPENAI_MODEL,
    }
