"""What the hub promises while its parts are killed, paused and emptied: the real stack, real clients, one judge.

Each promise is also shown from the other side: the same scenario with its guard removed, by a module of this folder
that runs in the place of `agents` or `api` and patches them, is reported by the judge.
"""
