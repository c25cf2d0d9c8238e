# SPDX-License-Identifier: MIT
#
# Contract: echo-server --resets
# Verdict:  PEER_KILLS_SERVER
#
# An error of one client ends the program.
import select
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
sockets = [listener]
while True:
    for ready in select.select(sockets, [], [])[0]:
        if ready is listener:
            sockets.append(listener.accept()[0])
            continue
        data = ready.recv(4096)
        if data:
            ready.sendall(data)
        else:
            sockets.remove(ready)
            ready.close()
