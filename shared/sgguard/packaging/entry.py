"""What starts a function in an artifact: the templates of its entry files."""

from __future__ import annotations

_BEGIN = """import gc
import os
import sys

gc.disable()  # what a start makes, it keeps: looking through it takes a third of the time
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
{settings}
"""

HANDLER = (
    '''"""Starts the function {function} on {name}: {what}."""

'''
    + _BEGIN
    + '''from sgguard.runtimes import event
from sgguard.runtimes.platforms import {platform} as platform

_FUNCTION = event.Handler("{function}", platform)
gc.enable()


def {entry}(event, context):
    """Answer one event."""
    return _FUNCTION(event, context)


def initializer(context):
    """Start the function before the first event."""
    _FUNCTION.initialize(context)
'''
)

SERVER = (
    '''"""Starts the function {function} on {name}: {what}."""

'''
    + _BEGIN
    + """from sgguard.runtimes import http
from sgguard.runtimes.platforms import {platform} as platform

http.serve("{function}", platform, host="{host}", port=int(os.environ.get("PORT") or {port}))
"""
)

# Cloud Run functions start functions-framework on the file main.py by themselves.
FRAMEWORK = (
    '''"""The function {function} on {name}: {what}."""

'''
    + _BEGIN
    + """from sgguard._functions.{function} import main
from sgguard.runtimes import worker

worker.quieten()
{function} = main.{function}
gc.freeze()
gc.enable()
"""
)

BOOTSTRAP = """#!/bin/bash
cd "$(dirname "$0")" || exit 1
exec {interpreter} -u server.py
"""
