# SPDX-License-Identifier: MIT
#
# Contract: echo-server
# Verdict:  NOTHING_SENT
#
# Waits for whole lines, and a stream has none.
import socketserver
import sys


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)


socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer.daemon_threads = True
socketserver.ThreadingTCPServer(("", int(sys.argv[1])), Echo).serve_forever()
