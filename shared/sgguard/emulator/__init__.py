"""Emulated clouds in one process, with their documented limits, delays and errors.

State is kept apart from the wire: what exists knows nothing of HTTP, and what speaks HTTP keeps no
state of its own. From the inside out:

- ``resource``, ``state``, ``index``, ``edit``: what exists in each cloud, and how it changes.
- ``faces/``: the wire. One package per provider turns requests into reads and changes of the state
  and renders the responses; ``_openstack`` is what clouds built on Keystone share.
- ``core``: the router. It finds the cloud of a request, applies faults and rates, logs the call.
- ``faults``: errors, latency, garbage and lost responses for the next calls, set by a test.
- ``scenario``: TOML files with clouds, events and the decisions they must give.
- ``control``: inspecting and steering a running emulator over HTTP, below ``/_emulator/``.
- ``transport``, ``mock``, ``server``: three ways to call it. An httpx transport, a context manager
  that intercepts calls to the clouds' real hosts (and keeps all others ``offline``), and an HTTP
  server on a port.
"""

from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.emulator.mock import mock_clouds
from sgguard.emulator.server import serve
from sgguard.emulator.transport import EmulatorTransport

__all__ = ["Emulator", "EmulatorTransport", "Fault", "mock_clouds", "serve"]
