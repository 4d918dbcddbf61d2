"""What happens when a client goes away in the middle of its request?"""

import socket
import time

from house.world import ADA
from house.world import DEPLOYMENTS as PREFIX


def test_a_client_that_leaves_in_the_middle_of_a_body_is_not_logged_as_our_mistake(mender, acme, server, capsys):
    host, port = server.url.removeprefix("http://").split(":")
    head = (
        f"POST {PREFIX}/deployments HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {mender.tokens[ADA]}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + b'{"name": "half a ')
        time.sleep(0.2)
    time.sleep(0.3)

    assert mender.as_(ADA).get(f"{PREFIX}/deployments").json() == []
    assert "request.failed" not in capsys.readouterr().out
