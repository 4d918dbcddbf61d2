"""Addresses as users and servers write them."""

import pytest

from fairlead.cli.simulate.address import BadAddress, Origin, follow, parse, parse_server


def test_a_server_is_a_scheme_a_host_and_a_port():
    assert parse_server("http://127.0.0.1:8080") == Origin(False, "127.0.0.1", 8080)
    assert parse_server("https://Fairlead.Example/") == Origin(True, "fairlead.example", 443)


def test_the_host_header_leaves_out_the_port_that_goes_without_saying():
    assert parse("https://a.example/x").origin.authority == "a.example"
    assert parse("http://[::1]:8080/x").origin.authority == "[::1]:8080"


@pytest.mark.parametrize(
    "url", ["", "fairlead.example", "ftp://a", "http://", "http://a:port", "http://a:99999", "http://a b", "http://[x"]
)
def test_what_is_no_address_is_refused_in_a_sentence(url):
    with pytest.raises(BadAddress, match="address"):
        parse_server(url)


def test_a_server_has_no_path():
    with pytest.raises(BadAddress, match="give only the server, like http://a"):
        parse_server("http://a/api")


def test_a_link_keeps_its_secret_and_redirects_may_be_relative():
    link = parse("http://a.example/files/1?secret=x%2Fy#part")

    assert link.target == "/files/1?secret=x%2Fy"
    assert follow(link, "../2").target == "/2"
    assert follow(link, "https://b.example/3").origin == Origin(True, "b.example", 443)
