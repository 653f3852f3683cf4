"""``provision.py KS_PORT NV_PORT OUT REGION=NEUTRON_PORT...``: projects, users, endpoints.

Writes what a client needs to OUT. The projects ``alpha`` and ``beta`` have a member and a reader
each. Every region has the one Nova, and the Neutron of its port; regions of port 0 are left out.
"""

import json
import sys
import urllib.request
from pathlib import Path


class Keystone:
    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}/v3"
        self.headers = {"Content-Type": "application/json"}

    def call(self, method, path, body=None):
        return self._call(method, path, body)[1]

    def _call(self, method, path, body):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, method=method, data=data, headers=self.headers
        )
        with urllib.request.urlopen(request) as response:
            text = response.read()
            return response.headers, json.loads(text) if text else None

    def log_in(self):
        """Ask for a token of the administrator; return the id of its project."""
        user = {"name": "admin", "domain": {"id": "default"}, "password": "adminpw"}
        scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
        identity = {"methods": ["password"], "password": {"user": user}}
        request = {"auth": {"identity": identity, "scope": scope}}
        headers, body = self._call("POST", "/auth/tokens", request)
        self.headers["X-Auth-Token"] = headers["X-Subject-Token"]
        return body["token"]["project"]["id"]

    def roles(self):
        roles = {row["name"]: row["id"] for row in self.call("GET", "/roles")["roles"]}
        if "service" not in roles:
            made = self.call("POST", "/roles", {"role": {"name": "service"}})
            roles["service"] = made["role"]["id"]
        return roles

    def project(self, name):
        body = {"project": {"name": name, "domain_id": "default"}}
        return self.call("POST", "/projects", body)["project"]["id"]

    def user(self, name, password, project, roles):
        user = {
            "name": name,
            "password": password,
            "domain_id": "default",
            "default_project_id": project,
        }
        user_id = self.call("POST", "/users", {"user": user})["user"]["id"]
        for role in roles:
            self.call("PUT", f"/projects/{project}/users/{user_id}/roles/{role}")
        return user_id

    def service(self, kind, name, urls):
        body = {"service": {"type": kind, "name": name}}
        service = self.call("POST", "/services", body)["service"]["id"]
        for region, url in urls.items():
            for interface in ("public", "internal", "admin"):
                endpoint = {
                    "service_id": service,
                    "interface": interface,
                    "region_id": region,
                    "url": url,
                }
                self.call("POST", "/endpoints", {"endpoint": endpoint})


def main():
    keystone_port, nova_port, out = sys.argv[1:4]
    ports = dict(pair.split("=") for pair in sys.argv[4:])
    networks = {region: f"http://127.0.0.1:{p}" for region, p in ports.items() if p != "0"}
    compute = f"http://127.0.0.1:{nova_port}/v2.1"
    keystone = Keystone(keystone_port)
    admin_project = keystone.log_in()
    roles = keystone.roles()
    service = keystone.project("service")
    for name in ("neutron", "nova"):
        keystone.user(name, "svcpw", service, [roles["admin"], roles["service"]])
    for region in networks:
        if region != "RegionOne":  # the bootstrap made it
            keystone.call("POST", "/regions", {"region": {"id": region}})
    keystone.service("network", "neutron", networks)
    keystone.service("compute", "nova", dict.fromkeys(networks, compute))
    found = {
        "auth_url": keystone.url,
        "network_url": networks["RegionOne"],
        "networks": networks,
        "compute_url": compute,
        "admin": {
            "user": "admin",
            "password": "adminpw",
            "project": "admin",
            "project_id": admin_project,
        },
    }
    for name in ("alpha", "beta"):
        project, password = keystone.project(name), f"{name}-pw"
        both = [roles["member"], roles["reader"]]
        found[name] = {
            "user": f"{name}-user",
            "reader": f"{name}-reader",
            "password": password,
            "project": name,
            "project_id": project,
            "user_id": keystone.user(f"{name}-user", password, project, both),
        }
        keystone.user(f"{name}-reader", password, project, [roles["reader"]])
    Path(out).write_text(json.dumps(found, indent=1))


main()
