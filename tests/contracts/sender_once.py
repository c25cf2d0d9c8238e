# SPDX-License-Identifier: MIT
#
# Contract: sender
# Verdict:  SHORT_SEND
#
# Does not look at the count that send returns.
import socket
import sys

data = sys.stdin.buffer.read()
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
connection.setblocking(False)
connection.send(data)
connection.close()
