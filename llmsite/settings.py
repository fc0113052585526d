"""Django settings, derived from the configuration that `llmsite.config_loading` reads."""

from datetime import timedelta
from pathlib import Path

from console import theme
from llmsite.config import PROJECT_ROOT
from llmsite.config_loading import load_config
from llmsite.database import data_dir, database_settings
from llmsite.kv_disk import prepare_kv_disk
from llmsite.logs import logging_config
from llmsite.rate_headers import EXPOSED
from llmsite.secret_key import read_or_create_secret_key
from llmsite.telemetry import require_packages
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
    "axes",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "llmsite.middleware.APIMiddleware",
    "llmsite.middleware.SecurityMiddleware",
    "llmsite.middleware.ContentSecurityPolicy",
    "servestatic.middleware.ServeStaticMiddleware",
    "llmsite.middleware.SessionMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "llmsite.api_access.APIAccess",  # after CORS: browsers ask without a key first, and read no refusal without CORS
    "llmsite.middleware.LocaleMiddleware",
    "llmsite.middleware.CommonMiddleware",
    "llmsite.middleware.CsrfViewMiddleware",
    "llmsite.middleware.AuthenticationMiddleware",
    "llmsite.middleware.HistoryMiddleware",
    "llmsite.middleware.MessageMiddleware",
    "llmsite.middleware.XFrameOptionsMiddleware",
    "llmsite.middleware.AxesMiddleware",  # the last one: it answers for the login
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

DATABASES = {"default": database_settings(CONFIG.database.url)}

# The key lives where the sessions live that it signs: recreating a container keeps both.
DATA_DIR = data_dir(CONFIG, DATABASES["default"])
SECRET_KEY = CONFIG.server.secret_key or read_or_create_secret_key(DATA_DIR / ".secret_key")

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LOGIN_URL, LOGIN_REDIRECT_URL = "admin:login", "admin:index"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]

# Who has failed so often from one address under one name waits. Not the address alone: behind a proxy that is not
# trusted, everybody has the same; nor the name alone, or anybody could lock out the administrator.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_TEMPLATE = "registration/locked_out.html"
AXES_CLIENT_IP_CALLABLE = "llmsite.client_address.client_address"
AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

LANGUAGE_CODE = "en"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGES = [("en", "English"), ("ru", "Русский")]
LOCALE_PATHS = [BASE_DIR / "llmsite" / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

UNFOLD = theme.UNFOLD

# Whoever ends TLS in front tells the scheme (docs/security.md). Plain HTTP on the same machine goes on without.
HTTPS = CONFIG.server.https
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^metrics$"]  # machines ask for it beside the proxy, as for the API
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
# Other services of the same domain, and lists that browsers are shipped with, are not ours to decide about.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
# Middleware is there under other names, which keep it from API requests.
SILENCED_SYSTEM_CHECKS += ["axes.W002", "security.W001", "security.W002", "security.W003"]

STATIC_URL = "/static/"
SERVESTATIC_USE_FINDERS = True  # straight from the installed packages: no collectstatic step to forget

# Chats with inlined images are re-sent whole every turn; Django's default of 2.5 MB cuts them off.
DATA_UPLOAD_MAX_MEMORY_SIZE = CONFIG.limits.body_size

CORS_ALLOW_ALL_ORIGINS = "*" in CONFIG.cors.allowed_origins
CORS_ALLOWED_ORIGINS = [origin for origin in CONFIG.cors.allowed_origins if origin != "*"]
CORS_URLS_REGEX = r"^/v1/.*$"
CORS_EXPOSE_HEADERS = ["x-request-id", *EXPOSED]

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
        "inference.schema.events.describe_events",
    ],
    "ENUM_NAME_OVERRIDES": {
        "FunctionTypeEnum": ["function"],
        "ItemStatusEnum": ["in_progress", "completed", "incomplete"],
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

if CONFIG.kv_disk.directory:
    prepare_kv_disk(CONFIG.kv_disk.directory)

if CONFIG.telemetry.traces_endpoint:
    require_packages()

AUTH_REQUIRED = CONFIG.auth.required
RESPONSE_RETENTION_DAYS = CONFIG.responses.retention_days

LOGGING = logging_config(CONFIG.server.log_level, CONFIG.server.log_format)
