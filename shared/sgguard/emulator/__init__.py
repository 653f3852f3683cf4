"""The clouds in one process: state apart from wire, faithful to the documented unpleasantness."""

from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.emulator.mock import mock_clouds
from sgguard.emulator.server import serve
from sgguard.emulator.transport import EmulatorTransport

__all__ = ["Emulator", "EmulatorTransport", "Fault", "mock_clouds", "serve"]
