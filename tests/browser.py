"""An administrator of the live server, through HTTP and forms as a browser would."""

import re

import httpx

from tests.live_server import ADMIN_PASSWORD, LiveServer

CHANGELIST = "/admin/registry/registeredmodel/"


class Browser:
    """A logged-in administrator; `act` runs one of the changelist's actions on a model."""

    def __init__(self, server: LiveServer) -> None:
        self.http = httpx.Client(base_url=server.url, follow_redirects=True, timeout=60)
        self.post("/admin/login/", username="admin", password=ADMIN_PASSWORD, next="/admin/")

    def post(self, path: str, **fields: str) -> str:
        page = self.http.get(path).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
        response = self.http.post(path, data={**fields, "csrfmiddlewaretoken": token}, headers={"referer": path})
        assert response.status_code == 200, response.text
        return response.text

    def act(self, action: str, name: str = "demo") -> str:
        return self.post(CHANGELIST, action=action, _selected_action=self.key(name))

    def key(self, name: str) -> str:
        page = self.http.get(CHANGELIST).text
        return re.search(rf'href="[^"]*/(\d+)/change/[^"]*"[^>]*>\s*{re.escape(name)}\s*<', page)[1]

    def state(self, name: str = "demo") -> str:
        page = self.http.get(CHANGELIST).text
        row = next(row for row in page.split("<tbody") if re.search(rf">\s*{name}\s*<", row))
        return re.search(r'<span data-model="\d+">([^<]*)<', row)[1]
