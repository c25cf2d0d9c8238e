# SPDX-License-Identifier: MIT
#
# Contract: chat-server
# Verdict:  FRAMING_ONE_RECV LINE_TORN
#
# Hands on whatever one recv has brought.
import select
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
guests = []
while True:
    for ready in select.select([listener] + guests, [], [])[0]:
        if ready is listener:
            guests.append(listener.accept()[0])
            continue
        data = ready.recv(4096)
        if not data:
            guests.remove(ready)
            ready.close()
        for guest in guests:
            if guest is not ready:
                guest.sendall(data)
