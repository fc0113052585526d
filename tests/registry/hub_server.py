"""A hub for tests: repositories of files in memory, answered as huggingface.co answers."""

import hashlib
import json

from huggingface_hub import constants

COMMIT = "c0ffee" + "0" * 34
TEMPLATE = "/{repo_id}/resolve/{revision}/{filename}"


def use_hub(monkeypatch, url):
    """What the environment variable HF_ENDPOINT does when huggingface_hub is imported."""
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + TEMPLATE)
    monkeypatch.setattr("huggingface_hub.hf_api.constants.ENDPOINT", url)


class HubServer:
    """Adds the API of a hub to a FileServer. `tokens`: those that open the repository, all if empty."""

    def __init__(self, server):
        self.server = server

    def add_repo(self, repo, files):
        """Serve a repository; return the ServedFile of each file."""
        entries = [self._entry(path, content) for path, content in files.items()]
        info = {"id": repo, "sha": COMMIT, "siblings": [], "tags": [], "downloads": 0, "likes": 0, "private": False}
        for revision in ("", "/revision/main", f"/revision/{COMMIT}"):
            self._json(f"/api/models/{repo}{revision}", info)
        for revision in ("main", COMMIT):
            self._json(f"/api/models/{repo}/tree/{revision}?recursive=true&expand=false", entries)
            self._json(f"/api/models/{repo}/tree/{revision}?recursive=True&expand=False", entries)
        return {path: self._add_file(repo, path, content) for path, content in files.items()}

    def _json(self, path, body):
        self.server.add(path, json.dumps(body).encode(), content_type="application/json")

    def _entry(self, path, content):
        sha256 = hashlib.sha256(content).hexdigest()
        lfs = {"oid": sha256, "size": len(content), "pointerSize": 130}
        return {"type": "file", "path": path, "size": len(content), "oid": "0" * 40, "lfs": lfs}

    def _add_file(self, repo, path, content):
        sha256 = hashlib.sha256(content).hexdigest()
        headers = {"X-Repo-Commit": COMMIT, "X-Linked-Size": str(len(content)), "X-Linked-ETag": f'"{sha256}"'}
        _, file = self.server.add(f"/{repo}/resolve/{COMMIT}/{path}", content, headers=headers, etag=f'"{sha256}"')
        return file
