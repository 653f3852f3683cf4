"""Write every generated section of every document: ``python -m tests.docs``."""

from tests.docs import write

write()
