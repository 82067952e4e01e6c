"""Django's settings, made from the environment. Safe for production by default; DEBUG is for one's own machine.

With `workbench.environment` the only reader of the environment: everything else asks `django.conf.settings`.
docs/settings.md explains the variables.
"""

import warnings
from pathlib import Path

from corsheaders.defaults import default_headers

from workbench.databases import database_settings
from workbench.environment import EnvironmentInvalid, handler_options, load_environment
from workbench.filestorage import file_storage
from workbench.logs import logging_settings
from workbench.secret_key import development_key

BASE_DIR = Path(__file__).resolve().parent.parent
_env = load_environment()

# --- Identity and hosts
DEBUG = _env.debug
SECRET_KEY = _env.secret_key.get_secret_value()
if not SECRET_KEY and DEBUG:
    SECRET_KEY = development_key(BASE_DIR / ".dev-secret-key")
if not SECRET_KEY:
    raise EnvironmentInvalid(
        "SECRET_KEY: not set. Without DEBUG a secret key is required: set it to 50 or more random characters, "
        "the same in every process, or set DEBUG=on on your own machine."
    )
ALLOWED_HOSTS = _env.allowed_hosts
CSRF_TRUSTED_ORIGINS = _env.csrf_trusted_origins

# --- Application
INSTALLED_APPS = [
    "workbench",
    "chats",
    "handlers",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "corsheaders",
    "rest_framework",
]
MIDDLEWARE = [
    "workbench.health.answer_probes",
    "workbench.correlation.correlate_requests",
    "workbench.metrics.count_requests",
    "django.middleware.security.SecurityMiddleware",
    "workbench.csp.content_security_policy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "workbench.urls"
ASGI_APPLICATION = "workbench.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "workbench.csp.csp_nonce",
            ],
        },
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Users
AUTH_USER_MODEL = "workbench.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"

# --- Database, channel layer, cache
DATABASES = {"default": database_settings(_env.database_url.get_secret_value(), BASE_DIR)}
REDIS_URL = _env.redis_url.get_secret_value()
if REDIS_URL:
    # The layer with Redis' own publish and subscribe: channels_redis' default one keeps lists, and dropped most of
    # a fast stream's events without a word.
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL], "prefix": "workbench"},
        }
    }
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},  # seconds: a request waits for it
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- Transport security
if _env.workbench_trust_proxy:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
WORKBENCH_TRUST_PROXY = _env.workbench_trust_proxy
# Only a proxy's word tells HTTPS from HTTP here; without it a redirect would never end.
SECURE_SSL_REDIRECT = _env.https and _env.workbench_trust_proxy
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _env.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _env.https
SESSION_COOKIE_SECURE = _env.https
CSRF_COOKIE_SECURE = _env.https
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# W021 asks for HSTS preload: a promise to browsers' makers, for all of a domain, that only its owner can give.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

# --- Other front ends (token clients only: no cookie crosses an origin)
WORKBENCH_ALLOWED_ORIGINS = _env.workbench_allowed_origins
CORS_ALLOWED_ORIGINS = _env.workbench_allowed_origins
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = [*default_headers, "last-event-id"]
CORS_EXPOSE_HEADERS = ["X-Response-Id", "Retry-After"]

# --- Static files and media
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "workbench.npm.NpmFinder",
]
NPM_PACKAGES = BASE_DIR / "deploy" / "npm" / "node_modules"
_collected = (STATIC_ROOT / "staticfiles.json").is_file() and not DEBUG
WHITENOISE_USE_FINDERS = not _collected  # works before, and without, `manage.py collectstatic`
WHITENOISE_AUTOREFRESH = DEBUG
if not _collected:
    warnings.filterwarnings("ignore", "No directory at", UserWarning)  # whitenoise's, about STATIC_ROOT
STORAGES = {
    "default": file_storage(_env),
    "staticfiles": {"BACKEND": "workbench.staticstorage.HashedOnceCollected"},
}
MEDIA_ROOT = _env.media_root or BASE_DIR / "var" / "media"
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700

# --- API
# What holds for every door unless it says otherwise. Bodies are read by chats.api.bodies, errors shaped by
# chats.api.errors, and `Accept` never decides more than whether an answer is streamed.
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "chats.api.negotiation.AlwaysJSON",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "chats.api.authentication.BearerAuthentication",
        "chats.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "chats.api.authentication.HasScope",
    ],
    "EXCEPTION_HANDLER": "chats.api.errors.exception_handler",
}

# --- Language, time, logs
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]  # the reader's browser chooses
LOCALE_PATHS = [BASE_DIR / "chats" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
WORKBENCH_METRICS_TOKEN = _env.workbench_metrics_token.get_secret_value()
LOGGING = logging_settings(_env.workbench_log_level, _env.workbench_log_format)

# --- Handlers and models
WORKBENCH_HANDLERS = [
    "handlers.builtin.chat.ChatHandler",
    "handlers.builtin.workflow.WorkflowHandler",
    "handlers.builtin.demo.DemoHandler",
]
WORKBENCH_EXTRA_HANDLERS = _env.workbench_extra_handlers
WORKBENCH_DEFAULT_TASK = _env.workbench_default_task
WORKBENCH_DEFAULT_MODEL = _env.workbench_default_model
WORKBENCH_TITLES = _env.workbench_titles
WORKBENCH_TITLE_MODEL = _env.workbench_title_model
WORKBENCH_PRICES_FILE = _env.workbench_prices_file
WORKBENCH_HANDLER_OPTIONS = handler_options()
AWS_REGION = _env.aws_region
WORKBENCH_BEDROCK_MODELS = _env.workbench_bedrock_models
OPENAI_BASE_URL = _env.openai_base_url
OPENAI_API_KEY = _env.openai_api_key.get_secret_value()
WORKBENCH_OPENAI_MODELS = _env.workbench_openai_models
OPENSEARCH_URL = _env.opensearch_url.get_secret_value()
OPENSEARCH_AWS_SERVICE = _env.opensearch_aws_service

# --- Limits (durations are seconds)
WORKBENCH_RUN_TIMEOUT = _env.workbench_run_timeout
WORKBENCH_FIRST_EVENT_TIMEOUT = _env.workbench_first_event_timeout
WORKBENCH_IDLE_TIMEOUT = _env.workbench_idle_timeout
WORKBENCH_MODEL_FIRST_TOKEN_TIMEOUT = _env.workbench_model_first_token_timeout
WORKBENCH_MODEL_IDLE_TIMEOUT = _env.workbench_model_idle_timeout
WORKBENCH_MAX_RUNS = _env.workbench_max_runs
WORKBENCH_MAX_RUNS_PER_USER = _env.workbench_max_runs_per_user
WORKBENCH_MAX_SOCKETS_PER_USER = _env.workbench_max_sockets_per_user
WORKBENCH_MAX_STARTS_PER_MINUTE = _env.workbench_max_starts_per_minute
WORKBENCH_MAX_TOKENS_PER_DAY = _env.workbench_max_tokens_per_day
WORKBENCH_MAX_FAILED_LOGINS = _env.workbench_max_failed_logins
WORKBENCH_RATE_LIMITS = _env.workbench_rate_limits
WORKBENCH_MAX_FILE_BYTES = _env.workbench_max_file_bytes
WORKBENCH_MAX_FILES_PER_MESSAGE = _env.workbench_max_files_per_message
WORKBENCH_MAX_STORAGE_PER_USER = _env.workbench_max_storage_per_user
WORKBENCH_SHUTDOWN_GRACE = _env.workbench_shutdown_grace
