# SPDX-License-Identifier: MIT
#
# Contract: echo-server --descriptors 8 --idle
# Verdict:  ACCEPT_EMFILE_SPIN
#
# Without a descriptor, it is told again and again that somebody waits.
import socketserver
import sys


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(4096):
            self.request.sendall(data)


socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer.daemon_threads = True
socketserver.ThreadingTCPServer(("", int(sys.argv[1])), Echo).serve_forever()
