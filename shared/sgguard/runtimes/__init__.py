"""How a serverless platform starts a function and hands it events, requests and credentials.

Every way in ends in the same Flask application that functions-framework makes of a function, so
that a platform changes nothing about a decision. ``event.py`` is the way of handlers that take an
event and a context, ``http.py`` that of servers; what differs between platforms is one module each
in ``platforms/``.
"""
