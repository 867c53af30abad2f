"""Limits and intervals of the sockets, with the reason for each number."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Limits:
    """All limits of one process. Durations without a unit in their type are seconds."""

    # Connections
    ping_interval: int = 10
    """A vanished peer is noticed after 15 to 20 s. engine.io drops fractions. 1,000 clients: 100 pings/s."""
    ping_timeout: int = 5
    admit_within: float = 5.0
    """Admission reads the database. It must not take longer than a ping, or the client is dropped meanwhile."""
    connect_within: float = 10.0
    """A websocket without a Socket.IO session (no CONNECT yet, or refused) is cut after this time."""
    leave_within: float = 1.0
    """From the last packet to the abort of the TCP connection: time for the client to read that packet."""
    close_handshake: float = 2.0
    """Time that a peer has for its half of the websocket close handshake."""
    sweep_every: float = 0.25
    """Interval of the check for slow and unconnected clients."""
    drain_interval: float = 0.02
    """Pause between two clients that are closed at shutdown: each reconnects elsewhere, which costs database reads."""
    drain_grace: float = 1.0
    """Time for the last closed client to read its queue and to close its side."""

    # Incoming
    message_bytes: int = 64_000
    """The largest command is well under 2 KB; the rest is room for `sync`."""
    messages_per_second: float = 50.0
    messages_burst: int = 100
    """A person clicks a few times a second; a dashboard that reconnects sends all its watches at once."""
    pending: int = 16
    """Commands of one client that wait or run; the next is answered `busy`. A week of watches fits."""

    # Outgoing
    queued: int = 500
    """Packets queued for one client. A client with more does not read: it is cut, and resumes with `sync`."""
    unread: int = 100
    """With more packets than this in its queue, a client's commands are answered `busy`."""
    send_buffer: int = 32 * 1024
    """SO_SNDBUF in bytes: by default the kernel takes 3 MB (11,000 events) before a client's lag shows here."""
    unacknowledged: int = 10_000
    """TCP_USER_TIMEOUT in milliseconds: the kernel drops a peer that acknowledges nothing for this long."""

    # Watches
    watches: int = 62
    """Days that one client watches at once: two months of one doctor, or a day of a large clinic."""

    # Tokens
    token_check_every: float = 0.25
    """Interval of the check of all tokens: cheaper than a timer for each client."""
    token_warning: timedelta = timedelta(seconds=60)
    """How long before its expiry a token is announced; at most a third of the time that is left at connect."""

    # Sync
    syncs_at_once: int = 8
    """All clients of a dead process reconnect to the others within a second. Reading in turn takes no longer in total,
    and a database that gets all reads at once answers none of them in time."""
    syncs_per_minute: int = 2000
    """Of one person, who may have a thousand dashboards, all of which reconnect at once."""
    sync_within: float = 10.0
    """Longer than it takes when all clients reconnect at once, and shorter than clients wait for it."""
    snapshot_from: timedelta = timedelta(days=1)
    """A snapshot holds the appointments that start from this long ago on, whatever their status."""
    names_within: float = 1.0
    """Seconds for which an event waits for a name that has to be read. Then it is sent without the name."""
    resume_events: int = 1000
    """A client that missed more events gets a snapshot, which is no longer than a few months of a calendar."""
    record_page: int = 500
    """Appointments read per query."""
    doctors_at_once: int = 16
    """Doctors of one person whose views are compared with the record concurrently."""

    # Connected patients who wait
    presence_every: float = 15.0
    """Interval at which it is noted who is connected."""

    # Doctors of connected patients
    compare_every: float = 3.0
    """Interval of the comparison of patients' doctors with the database."""
    compared_at_once: int = 100
    """Patients per comparison: bounds the load on the database."""
    catch_ups_at_once: int = 8
    """Concurrent catch-ups of patients with doctors who are new to them."""
    retry_after: float = 0.5
    """Pause between two attempts of a catch-up while the database does not answer."""
