import pytest

from registry.addresses import AddressGuard, AddressRefused, is_public, resolve

PUBLIC = "93.184.216.34"


def guard(*addresses, **options):
    return AddressGuard(resolve=lambda host, port: list(addresses), **options)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fe80::1%eth0"),
        *("fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1"),
        *("2002:7f00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe"),
    ],
)
def test_addresses_of_a_network_of_ones_own_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:220:1:248:1893:25c8:1946", f"::ffff:{PUBLIC}"])
def test_other_addresses_are_public(address):
    assert is_public(address)


def test_a_public_address_may_be_connected_to():
    assert guard(PUBLIC).addresses("example.com", 443) == [PUBLIC]


def test_a_single_private_address_is_enough_to_refuse():
    with pytest.raises(AddressRefused, match=r"example\.com is not allowed: its address 10\.0\.0\.1 is not a public"):
        guard(PUBLIC, "10.0.0.1").addresses("example.com", 443)


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0x7f.1", "127.0.0.0x1", "017700000001"]
)
def test_addresses_in_other_words_are_refused(host):
    with pytest.raises(AddressRefused, match="write an address as four decimal numbers"):
        AddressGuard().addresses(host, 80)


def test_names_that_only_look_like_numbers_are_names():
    assert guard(PUBLIC).addresses("1.example", 80) == [PUBLIC]


@pytest.mark.parametrize(
    ("allowed", "host"),
    [
        *(("hub.intern", "hub.intern"), ("HUB.intern", "hub.intern."), (".lan", "a.b.lan"), ("10.0.0.5", "10.0.0.5")),
        *(("10.0.0.0/8", "10.0.0.5"), ("10.0.0.0/8", "name.of.it"), ("::1", "::1")),
    ],
)
def test_what_is_allowed_may_be_private(allowed, host):
    address = host if host in ("::1", "10.0.0.5") else "10.0.0.5"
    assert guard(address, allowed_hosts=[allowed]).addresses(host, 80) == [address]


@pytest.mark.parametrize("allowed", ["hub.intern", ".lan", "lan", "10.0.0.5", "192.168.0.0/16"])
def test_what_is_allowed_allows_nothing_else(allowed):
    with pytest.raises(AddressRefused):
        guard("10.0.0.6", allowed_hosts=[allowed]).addresses("evil.lan.example", 80)


def test_everything_can_be_allowed():
    assert guard("127.0.0.1", allow_private=True).addresses("localhost", 80) == ["127.0.0.1"]


def test_the_system_resolves_names():
    assert "127.0.0.1" in resolve("localhost", 80)
