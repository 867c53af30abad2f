"""Where the seed may write without being asked twice."""

from ipaddress import ip_address


def is_local(url: str) -> bool:
    """Whether every server that a MongoDB URL names is on this machine: loopback addresses and sockets only.

    A `mongodb+srv` URL and a name other than `localhost` may lead anywhere, so they are not local.
    """
    scheme, _, rest = url.partition("://")
    servers = rest.partition("/")[0].rpartition("@")[2]
    return scheme == "mongodb" and all(_is_local_server(server) for server in servers.split(","))


def _is_local_server(server: str) -> bool:
    if server.endswith(".sock"):  # its slashes are percent-encoded
        return True
    host = server[1:].partition("]")[0] if server.startswith("[") else server.partition(":")[0]
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
