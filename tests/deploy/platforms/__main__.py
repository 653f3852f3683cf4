"""Runs one stand-in: its name, and the words that a page gave it."""

from __future__ import annotations

import sys
from importlib import import_module

_MODULES = {
    "terraform": "terraform",
    "tccli": "terraform",
    "console": "console",
    "edge": "edge",
    "s": "serverless_devs",
    "gcloud": "gcloud",
    "kubectl": "kubectl",
    "buildah": "image",
    "skopeo": "image",
    "podman": "image",
    "systemctl": "systemctl",
}

if __name__ == "__main__":
    name, *words = sys.argv[1:]
    module = import_module(f"tests.deploy.platforms.{_MODULES[name]}")
    getattr(module, name)(words)
