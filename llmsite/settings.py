"""Django settings, derived from the one YAML file that `llmsite.config` reads."""

from importlib.util import find_spec
from pathlib import Path

import dj_database_url

from llmsite.config import PROJECT_ROOT, ConfigError, load_config
from llmsite.kv_disk import prepare_kv_disk
from llmsite.logs import logging_config
from llmsite.rate_headers import EXPOSED
from llmsite.secret_key import read_or_create_secret_key
from llmsite.version import __version__

CONFIG = load_config()

BASE_DIR: Path = PROJECT_ROOT
DEBUG = False
ALLOWED_HOSTS = list(CONFIG.server.allowed_hosts)

INSTALLED_APPS = [
    # Before staticfiles: its `runserver` would win over ours.
    "registry",
    "access",
    "usage",
    "inference",
    "console",
    "unfold",  # before the admin, whose templates it replaces
    "unfold.contrib.filters",
    "unfold.contrib.simple_history",
    "simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "adrf",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "llmsite.middleware.APIMiddleware",
    "llmsite.middleware.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "llmsite.middleware.SessionMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "llmsite.api_access.APIAccess",  # after CORS: browsers ask without a key first, and read no refusal without CORS
    "llmsite.middleware.LocaleMiddleware",
    "llmsite.middleware.CommonMiddleware",
    "llmsite.middleware.CsrfViewMiddleware",
    "llmsite.middleware.AuthenticationMiddleware",
    "llmsite.middleware.MessageMiddleware",
    "llmsite.middleware.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "llmsite.urls"
ASGI_APPLICATION = "llmsite.asgi.application"
APPEND_SLASH = False  # API clients post to URLs without a slash; a redirect would lose the body.

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
            ],
        },
    },
]

DATABASES = {"default": dj_database_url.parse(CONFIG.database.url)}
is_sqlite = DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
if is_sqlite:
    # WAL lets the admin write while requests read; IMMEDIATE waits for the lock instead of failing mid-transaction.
    DATABASES["default"]["OPTIONS"] = {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
    }
elif find_spec("psycopg") is None:
    raise ConfigError('database.url: PostgreSQL needs its driver, which `pip install "psycopg[binary]"` brings')

# The key lives where the sessions live that it signs: recreating a container keeps both.
DATA_DIR = Path(DATABASES["default"]["NAME"]).parent if is_sqlite else BASE_DIR
SECRET_KEY = CONFIG.server.secret_key or read_or_create_secret_key(DATA_DIR / ".secret_key")

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ru", "Русский")]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
SERVESTATIC_USE_FINDERS = True  # straight from the installed packages: no collectstatic step to forget

# Chats with inlined images are re-sent whole every turn; Django's default of 2.5 MB cuts them off.
DATA_UPLOAD_MAX_MEMORY_SIZE = CONFIG.limits.body_size

CORS_ALLOW_ALL_ORIGINS = "*" in CONFIG.cors.allowed_origins
CORS_ALLOWED_ORIGINS = [origin for origin in CONFIG.cors.allowed_origins if origin != "*"]
CORS_URLS_REGEX = r"^/v1/.*$"
CORS_EXPOSE_HEADERS = ["x-request-id", *EXPOSED]

UNFOLD = {"DASHBOARD_CALLBACK": "console.dashboard.add_dashboard"}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["inference.parsers.AnyTypeJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "inference.parsers.IgnoreAccept",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "inference.exceptions.openai_exception_handler",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "llmsite",
    "DESCRIPTION": "OpenAI-compatible API for the GGUF models registered in the admin.",
    "VERSION": __version__,
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "inference.schema.access.describe_access",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

if CONFIG.kv_disk.directory:
    prepare_kv_disk(CONFIG.kv_disk.directory)

AUTH_REQUIRED = CONFIG.auth.required
RESPONSE_RETENTION_DAYS = CONFIG.responses.retention_days

LOGGING = logging_config(CONFIG.server.log_level, CONFIG.server.log_format)
