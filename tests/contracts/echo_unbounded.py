# SPDX-License-Identifier: MIT
#
# Contract: echo-server --memory 24M
# Verdict:  NO_BACKPRESSURE
#
# Keeps whatever comes for one who does not read.
import asyncio
import sys


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)  # and no drain()
    writer.close()


async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


asyncio.run(main())
