# SPDX-License-Identifier: MIT
#
# Contract: echo-server --strict
# Verdict:  none
#
# One thread, and what could not be sent yet is kept, up to a bound.
import selectors
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
listener.setblocking(False)
selector = selectors.DefaultSelector()
selector.register(listener, selectors.EVENT_READ)
held = {}


def close(client):
    selector.unregister(client)
    del held[client]
    client.close()
    if not watching_listener():
        selector.register(listener, selectors.EVENT_READ)


def watching_listener():
    return any(key.fileobj is listener for key in selector.get_map().values())


def serve(client, mask):
    try:
        if mask & selectors.EVENT_READ:
            data = client.recv(65536)
            if not data:
                close(client)
                return
            held[client] = data
        sent = client.send(held[client])
        held[client] = held[client][sent:]
    except BlockingIOError:
        pass
    except OSError:
        close(client)
        return
    # Who has not taken everything yet is not read from.
    selector.modify(
        client, selectors.EVENT_WRITE if held[client] else selectors.EVENT_READ
    )


while True:
    for key, mask in selector.select():
        if key.fileobj is listener:
            try:
                client, _ = listener.accept()
            except BlockingIOError:
                continue
            except OSError:  # out of descriptors: until somebody leaves
                selector.unregister(listener)
                continue
            client.setblocking(False)
            held[client] = b""
            selector.register(client, selectors.EVENT_READ)
        elif key.fileobj in held:
            serve(key.fileobj, mask)
