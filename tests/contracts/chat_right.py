# SPDX-License-Identifier: MIT
#
# Contract: chat-server --idle
# Verdict:  none
#
# Hands on whole lines.
import select
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
guests = {}
while True:
    for ready in select.select([listener, *guests], [], [])[0]:
        if ready is listener:
            guests[listener.accept()[0]] = b""
            continue
        data = ready.recv(4096)
        if not data:
            del guests[ready]
            ready.close()
            continue
        *lines, guests[ready] = (guests[ready] + data).split(b"\n")
        for line in lines:
            for guest in guests:
                if guest is not ready:
                    guest.sendall(b"somebody: " + line + b"\n")
