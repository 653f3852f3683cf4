"""A cloud that echoes each request, for tests of transports and signatures."""

from __future__ import annotations

import httpx

from sgguard.emulator.faces.base import Certainty, Claim

SCENARIO = {"clouds": [{"provider": "echo", "regions": ["here"]}]}


class EchoFace:
    """Answers with what arrived, so that a test sees what the server made of the bytes."""

    claims = (Claim(Certainty.PATH, path="/echo.*"),)

    def knows(self, _request, _cloud):
        return Certainty.NONE

    def action(self, request):
        return request.method

    def respond(self, request, _cloud, _now):
        if request.url.path == "/echo/boom":
            raise RuntimeError("boom")
        if request.url.path == "/echo/none":
            return httpx.Response(204)
        return httpx.Response(
            200,
            headers=[("x-twice", "1"), ("x-twice", "2")],
            json={
                "url": str(request.url),
                "raw_path": request.url.raw_path.decode(),
                "size": len(request.content),
                "body": request.content[:100].decode(errors="replace"),
                "headers": request.headers.multi_items(),
            },
        )

    def fault(self, kind, _request, code):
        return httpx.Response(429 if kind == "throttle" else 500, json={"code": code})

    def refuse(self, _request, message):
        return httpx.Response(501, json={"message": message})
