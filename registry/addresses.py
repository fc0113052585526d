"""Which addresses the server may connect to when somebody else has chosen the URL.

A name is resolved once, and what is checked is what is connected to: a name that changes its mind afterwards changes
nothing.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]

# Behind these prefixes stand IPv4 addresses, which a gateway may reach (RFC 6052 and RFC 4291).
_EMBEDDING = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
# What inet_aton takes for an address in other words: 2130706433, 0x7f.1, 0177.0.0.1, 127.1.
_NUMERIC_HOST = re.compile(r"(.*\.)?(0x[0-9a-f]*|\d+)\.?", re.IGNORECASE)


class AddressRefused(Exception):
    """An address that may not be connected to; the message says which, and what would allow it."""


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host as the system knows them; raise OSError if it knows none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True)
class AddressGuard:
    """Lets public addresses pass, and those that the operator has allowed.

    allowed_hosts: names, ".domain" for all names below it, addresses and networks that may be private.
    """

    allowed_hosts: Sequence[str] = ()
    allow_private: bool = False
    resolve: Resolve = resolve

    def addresses(self, host: str, port: int) -> list[str]:
        """Return the addresses to connect to. Raises AddressRefused if a single one may not be, OSError if none is."""
        if _is_odd_number(host):
            raise AddressRefused(f"{host} is not allowed: write an address as four decimal numbers, or use a name.")
        addresses = self.resolve(host, port)
        for address in addresses:
            if not (self._is_allowed(host) or self._is_allowed(address) or is_public(address)):
                raise AddressRefused(
                    f"{host} is not allowed: its address {address} is not a public one. "
                    "If downloads may go there, add the host to downloads.allowed_hosts in the configuration."
                )
        return addresses

    def _is_allowed(self, host: str) -> bool:
        return self.allow_private or any(_covers(allowed, host) for allowed in self.allowed_hosts)


def is_public(address: str) -> bool:
    """Tell whether an address belongs to nobody's own network or machine."""
    parsed = _unwrapped(ipaddress.ip_address(address))
    return parsed.is_global and not parsed.is_multicast


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, else the address."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
    if inner is None and any(address in network for network in _EMBEDDING):
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address


def _is_odd_number(host: str) -> bool:
    return bool(_NUMERIC_HOST.fullmatch(host)) and _parsed(host) is None


def _covers(allowed: str, host: str) -> bool:
    """Tell whether an entry of allowed_hosts means this host, a name or an address."""
    allowed, host = allowed.lower().strip("[]"), host.lower().rstrip(".")
    if allowed.startswith("."):
        return host.endswith(allowed)
    address = _parsed(host)
    try:
        network = ipaddress.ip_network(allowed, strict=False)
    except ValueError:
        return allowed == host
    return address is not None and (address in network or _unwrapped(address) in network)


def _parsed(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
