"""A stand-in for a platform that calls ``handler(event, context)``; runs in a process of its own.

It imports nothing of the tests and gets everything from standard input: the folder of the
artifact, the handler's name, and for each invocation the event and what its context has.
"""

from __future__ import annotations

import base64
import gc
import importlib
import json
import sys
from types import SimpleNamespace
from typing import Any


class FunctionGraphContext:
    """What a Python function of FunctionGraph is given: getters."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told

    def getSecurityAccessKey(self) -> str:  # noqa: N802 - the platform's name
        return self._told["key_id"]

    def getSecuritySecretKey(self) -> str:  # noqa: N802 - as above
        return self._told["secret"]

    def getSecurityToken(self) -> str:  # noqa: N802 - as above
        return self._told["token"]

    def getRemainingTimeInMilliSeconds(self) -> int:  # noqa: N802 - as above
        return 20_000

    def getUserData(self, key: str) -> str | None:  # noqa: N802 - as above
        return self._told["settings"].get(key)


def context_of(platform: str, told: dict[str, Any]) -> Any:
    if platform == "tencent":
        names = ("TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN")
        role = zip(names, (told["key_id"], told["secret"], told["token"]), strict=True)
        return {
            "request_id": "6cd2d7a4-0000-4000-8000-000000000001",
            "memory_limit_in_mb": 256,
            "time_limit_in_ms": 20_000,
            "function_name": "delete_request",
            "function_version": "$LATEST",
            "namespace": "default",
            "environment": json.dumps({"SCF_NAMESPACE": "default", **dict(role)}),
        }
    if platform == "alibaba":
        return SimpleNamespace(
            request_id="1-0000-0000",
            credentials=SimpleNamespace(
                access_key_id=told["key_id"],
                access_key_secret=told["secret"],
                security_token=told["token"],
            ),
            function=SimpleNamespace(name="delete_request", memory=512, timeout=20),
            region="cn-hangzhou",
            account_id="1234567890123456",
        )
    return FunctionGraphContext(told)


def main() -> None:
    importlib.import_module("sitecustomize")
    given = json.load(sys.stdin)
    sys.path.insert(0, given["folder"])
    sys.argv = ["runtime"]
    module, _, name = given["handler"].partition(".")
    loaded = importlib.import_module(module)
    handler = getattr(loaded, name)
    for one in given["invocations"]:
        event = one["event"]
        if given["platform"] == "alibaba":  # it hands over the bytes that were sent
            event = base64.b64decode(one["bytes"]) if "bytes" in one else json.dumps(event).encode()
        try:
            answer = {"answer": handler(event, context_of(given["platform"], one["context"]))}
        except Exception as error:  # noqa: BLE001 - the platform catches everything, too
            answer = {"raised": type(error).__name__, "text": str(error)}
        print(json.dumps(answer), flush=True)
    outside = [
        str(getattr(one, "__file__", "") or "")
        for one in sys.modules.values()
        if "site-packages" in str(getattr(one, "__file__", ""))
    ]
    print(json.dumps({"outside": outside, "collects": gc.isenabled()}))


if __name__ == "__main__":
    main()
