"""What one socket may cost us, and the reason for each number."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Times are seconds."""

    ping_interval: int = 10
    """A peer that vanished is noticed after 15 to 20 s; engine.io cuts fractions off. 1,000 clients: 100 pings/s."""
    ping_timeout: int = 5
    admit_within: float = 5.0
    """Letting somebody in reads the record. Longer than a ping may take, and the client would be given up meanwhile."""
    connect_within: float = 10.0
    """An open websocket that never says CONNECT, or was refused, is nobody's: it is cut."""
    leave_within: float = 1.0
    """From goodbye to the end of the TCP connection, so that the goodbye is read."""
    message_bytes: int = 64_000
    """The largest command is well under 2 KB; the rest is room for `sync`."""
    messages_per_second: float = 50.0
    messages_burst: int = 100
    """A person clicks a few times a second; a dashboard that comes back asks for its watches at once."""
    pending: int = 16
    """Commands of one client that wait at once; the next is answered `busy`. A week of watches fits."""
    unread: int = 100
    """Packets that may wait for a client that still asks for more; beyond, its commands are answered `busy`."""
    syncs_at_once: int = 8
    """All clients of a process that died come back to the others within a second. What they read together takes no
    longer one after the other, and a database that is asked by all at once answers nobody in time."""
    sync_within: float = 10.0
    """Longer than it takes when all come back at once, and shorter than clients wait for it."""
    watches: int = 62
    """Days that one client watches at once: two months of one doctor, or a day of a large clinic."""
    queued: int = 500
    """Packets that wait for one client; with more, it does not read: it is cut, and comes back by `sync`."""
    sweep_every: float = 0.25
    send_buffer: int = 32 * 1024
    """SO_SNDBUF: by default the kernel takes 3 MB (11,000 events) before the lag of a client shows here."""
    unacknowledged: int = 10_000
    """TCP_USER_TIMEOUT in milliseconds: a peer that takes nothing for this long is gone, whatever its keep-alive."""
