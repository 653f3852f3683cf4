"""Chat: one message per decision, the clicks on its buttons, and commands, in every channel.

A decision's document becomes a :class:`~sgguard.render.language.message.Message` without words; a
catalogue (``render/language``) gives it words; a channel (``channels/``, a file
per kind) gives it its form, its limits and its escapes. What comes back is verified by the
channel and decided by :mod:`sgguard.chat.clicks`: a signature of a channel authorises nothing.
"""
