"""A web server for download tests: files in memory, with ranges, redirects and failures on demand."""

import re
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class ServedFile:
    content: bytes
    etag: str | None = '"v1"'
    last_modified: str | None = None
    headers: dict = field(default_factory=dict)
    content_type: str = "application/octet-stream"
    cuts: list = field(default_factory=list)  # for each coming request: after how many bytes the connection breaks
    statuses: list = field(default_factory=list)  # for each coming request: an error to answer with instead
    has_ranges: bool = True
    has_length: bool = True
    content_range: str | None = None  # a wrong one, instead of the right one
    token: str | None = None  # without which it is refused, as by the hub for a gated repository
    pause: tuple | None = None  # (after how many bytes, what is called then)


class FileServer:
    """Serves `files` and `redirects` by path; `requests` remembers (method, path, headers)."""

    def __enter__(self):
        self.files, self.redirects, self.requests = {}, {}, []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"owner": self}))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def add(self, path, content, **options):
        """Serve `content` under `path`; return its URL and the ServedFile."""
        self.files[path] = ServedFile(content, **options)
        return self.url + path, self.files[path]

    def header_of_requests(self, name):
        """What each GET asked for under the header `name`, None where it did not stand."""
        return [headers.get(name) for method, _, headers in self.requests if method == "GET"]


class _Handler(BaseHTTPRequestHandler):
    owner = None

    def do_HEAD(self):
        self.respond(has_body=False)

    def do_GET(self):
        self.respond(has_body=True)

    def respond(self, has_body):
        self.owner.requests.append((self.command, self.path, dict(self.headers)))
        file = self.owner.files.get(self.path)
        if has_body and file and file.statuses and (status := file.statuses.pop(0)):
            self.send_error(status)
        elif self.path in self.owner.redirects:
            location, headers = self.owner.redirects[self.path]
            self.send_headers(302, {"Location": location, "Content-Length": "0", **headers})
        elif file and file.token and self.headers.get("Authorization") != f"Bearer {file.token}":
            self.send_headers(401, {"X-Error-Code": "GatedRepo", "Content-Length": "0"})
        elif file:
            self.send_file(file, has_body)
        else:
            self.send_error(404)

    def send_file(self, file, has_body):
        start = self.wanted_start(file)
        body, total = file.content[start or 0 :], len(file.content)
        headers = {"Content-Type": file.content_type, "ETag": file.etag, "Last-Modified": file.last_modified}
        headers |= {"Content-Length": str(len(body)) if file.has_length else None, **file.headers}
        status = 200 if start is None else 206 if start < total else 416
        if status == 416:
            headers |= {"Content-Range": f"bytes */{total}"}
        elif status == 206:
            headers["Content-Range"] = file.content_range or f"bytes {start}-{total - 1}/{total}"
        self.send_headers(status, headers)
        if has_body:
            self.send_body(file, body)

    def send_body(self, file, body):
        if file.pause:
            num_bytes, call = file.pause
            self.wfile.write(body[:num_bytes])
            body = body[num_bytes:]
            call()
        self.wfile.write(body[: file.cuts.pop(0)] if file.cuts else body)

    def wanted_start(self, file):
        """The first byte that the client asks for; None for the whole file."""
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        is_same = self.headers.get("If-Range") in (None, file.etag, file.last_modified)
        return int(match[1]) if match and is_same and file.has_ranges else None

    def send_headers(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()

    def log_message(self, *args):
        pass
