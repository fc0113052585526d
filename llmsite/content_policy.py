"""The Content-Security-Policy of pages (https://www.w3.org/TR/CSP3/)."""

BASE = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",  # unfold's colours, and styles that Alpine, Swagger UI and ReDoc set
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
ADMIN = {**BASE, "script-src": "'self' 'unsafe-eval'"}  # Alpine makes functions of what stands in attributes
REDOC = {**BASE, "worker-src": "blob:"}  # its search


def policy_of(path: str) -> str:
    """Return the header's value for a page."""
    if path.startswith("/admin/"):
        return _joined(ADMIN)
    return _joined(REDOC if path == "/redoc" else BASE)


def _joined(policy: dict[str, str]) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in policy.items())
