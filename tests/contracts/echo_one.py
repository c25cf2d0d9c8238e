# SPDX-License-Identifier: MIT
#
# Contract: echo-server
# Verdict:  ONE_AT_A_TIME
#
# Serves one client after the other.
import socketserver
import sys


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(4096):
            self.request.sendall(data)


socketserver.TCPServer.allow_reuse_address = True
socketserver.TCPServer(("127.0.0.1", int(sys.argv[1])), Echo).serve_forever()
