"""How log lines look and which are shown."""


def logging_config(level: str) -> dict:
    """Return Django's LOGGING for `server.log_level` (debug, info, warning, error or critical)."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "{asctime} {levelname:<7} {name}: {message}", "style": "{"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": level.upper()},
        "loggers": {
            # Every 4xx answer already explains itself to the client.
            "django.request": {"level": "ERROR"},
            # A traceback for every stray Host header; the answer names the setting.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "httpx": {"level": "WARNING"},
            "httpx2": {"level": "WARNING"},
        },
    }
