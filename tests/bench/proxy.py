#!/usr/bin/env python3
"""proxy.py PORT BACK

The least that a content filter can be: what comes in on PORT of 127.0.0.1 goes to port BACK as it is, and the answers return."""
import asyncio
import sys


async def pass_on(reader, writer):
    while octets := await reader.read(65536):
        writer.write(octets)
        await writer.drain()
    writer.close()


async def session(reader, writer):
    there, back = await asyncio.open_connection('127.0.0.1', int(sys.argv[2]))
    await asyncio.gather(pass_on(reader, back), pass_on(there, writer), return_exceptions=True)


async def main():
    async with await asyncio.start_server(session, '127.0.0.1', int(sys.argv[1]), backlog=500) as server:
        await server.serve_forever()

asyncio.run(main())
