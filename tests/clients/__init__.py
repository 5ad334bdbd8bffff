"""Unmodified client libraries, each in an environment of its own, trade a day in small: `python -m tests.clients`.

`bots/` holds what runs inside those environments: one file per client, and what they share, which needs the standard
library only. The rest runs in ours: it makes the environments, starts a venue for each client, makes traffic on it,
and takes processes away when a bot asks for that.
"""
