# SPDX-License-Identifier: MIT
#
# Contract: datagram-echo
# Verdict:  SHORT_SEND
#
# Its buffer is too small for a datagram.
import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    data, sender = server.recvfrom(512)
    server.sendto(data, sender)
