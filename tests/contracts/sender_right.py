# SPDX-License-Identifier: MIT
#
# Contract: sender --resets
# Verdict:  none
#
# sendall does the rest.
import shutil
import socket
import sys

connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
with connection.makefile("wb") as out:
    shutil.copyfileobj(sys.stdin.buffer, out)
connection.close()
