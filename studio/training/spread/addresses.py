"""Which of this machine's addresses the others see. No torch here."""

from __future__ import annotations

import socket
import struct
import sys


def own_address(endpoint: str) -> str:
    """The address from which this machine reaches an endpoint HOST:PORT; nothing is sent.

    Raises:
        OSError: if it cannot.
    """
    host, _, port = endpoint.rpartition(":")
    family, kind, protocol, _, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.connect(address)
        found: str = probe.getsockname()[0]
        return found


def interface_of(address: str) -> str:
    """Name of the interface that has an IPv4 address, such as "eth0"; empty where the system does not tell."""
    if sys.platform != "linux" or ":" in address:
        return ""
    import fcntl

    wanted = socket.inet_aton(address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(asking, 0x8915, struct.pack("256s", name.encode()[:15]))  # SIOCGIFADDR
            except OSError:  # it has no such address
                continue
            if answer[20:24] == wanted:
                return name
    return ""
