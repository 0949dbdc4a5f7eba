"""As much of the Hugging Face Hub as a model needs: repositories, commits, and the files of each."""

import base64
import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class StandIn:
    """The repositories: commits by their names, each the files by theirs."""

    def __init__(self):
        self.repositories = {}
        self.asked = []

    def commit(self, repository, files):
        commits = self.repositories[repository]
        whole = {**(list(commits.values())[-1] if commits else {}), **files}
        name = hashlib.sha1(repr((len(commits), sorted(whole))).encode()).hexdigest()
        commits[name] = whole
        return name

    def find(self, repository, revision):
        commits = self.repositories.get(repository)
        if not commits:
            return None, {}
        name = list(commits)[-1] if revision == "main" else revision
        return (name, commits[name]) if name in commits else (None, {})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _send(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _json(self, value, status=200):
        self._send(status, json.dumps(value).encode(), Content_Type="application/json")

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        hub = self.server.hub
        path = self.path.partition("?")[0].strip("/").split("/")
        hub.asked.append(self.path)
        if len(path) >= 5 and path[2] == "resolve":
            commit, files = hub.find("/".join(path[:2]), path[3])
            name = "/".join(path[4:])
            if "/".join(path[:2]) not in hub.repositories:
                self._send(404, X_Error_Code="RepoNotFound")
            elif commit is None:
                self._send(404, X_Error_Code="RevisionNotFound")
            elif name not in files:
                self._send(404, X_Error_Code="EntryNotFound", X_Repo_Commit=commit)
            else:
                tag = hashlib.sha1(files[name]).hexdigest()
                self._send(200, files[name], ETag=f'"{tag}"', X_Repo_Commit=commit)
        else:
            self._json({}, 404)

    def do_POST(self):
        hub = self.server.hub
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path = self.path.partition("?")[0].strip("/").split("/")
        address = f"http://{self.headers['Host']}"
        if not self.headers.get("authorization", "").endswith("hf_of_the_test"):
            self._json({"error": "Invalid username or password."}, 401)
        elif path == ["api", "repos", "create"]:
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}"
            known = name in hub.repositories
            hub.repositories.setdefault(name, {})
            self._json({"url": f"{address}/{name}", "name": name}, 409 if known else 200)
        elif path[-1] == "validate-yaml":
            self._json({"warnings": [], "errors": []})
        elif "preupload" in path:
            files = [
                {"path": each["path"], "uploadMode": "regular", "shouldIgnore": False}
                for each in json.loads(body)["files"]
            ]
            self._json({"files": files})
        elif "commit" in path:
            lines = [json.loads(line) for line in body.splitlines()]
            files = {
                line["value"]["path"]: base64.b64decode(line["value"]["content"])
                for line in lines
                if line["key"] == "file"
            }
            name = "/".join(path[2:4])
            commit = hub.commit(name, files)
            url = f"{address}/{name}/commit/{commit}"
            self._json({"success": True, "commitOid": commit, "commitUrl": url, "hookOutput": ""})
        else:
            self._json({}, 404)


@contextmanager
def hub_stand_in():
    """A stand-in on a port of this machine, and its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.hub = StandIn()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.hub, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
