"""Tells whether a database is on this machine, where it may be seeded without confirmation."""

from ipaddress import ip_address


def is_local(url: str) -> bool:
    """Return whether all servers of a MongoDB URL are loopback addresses or Unix sockets.

    A `mongodb+srv` URL and a host name other than `localhost` may resolve to any machine, so they are not local.
    """
    scheme, _, rest = url.partition("://")
    servers = rest.partition("/")[0].rpartition("@")[2]
    return scheme == "mongodb" and all(_is_local_server(server) for server in servers.split(","))


def _is_local_server(server: str) -> bool:
    if server.endswith(".sock"):  # a Unix socket: the slashes of its path are percent-encoded
        return True
    host = server[1:].partition("]")[0] if server.startswith("[") else server.partition(":")[0]
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
