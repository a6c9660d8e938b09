"""The Python SDK's client: lists, makes one call that is allowed and one that is not, prints what came.

client.py http|stdio ALLOWED ARGUMENTS DENIED ARGUMENTS -- (URL TOKEN | COMMAND...)
"""

import asyncio
import json
import sys

from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client


async def call(client, name, arguments):
    result = await client.call_tool(name, json.loads(arguments))
    texts = [part.text for part in result.content if part.type == "text"]
    return {"text": texts[0] if texts else "", "isError": bool(result.is_error)}


async def work(server, mode, allowed, denied):
    async with Client(server, mode=mode) as client:
        tools = await client.list_tools()
        return {
            "tools": [tool.name for tool in tools.tools],
            "allowed": await call(client, *allowed),
            "denied": await call(client, *denied),
        }


async def main():
    transport, *calls = sys.argv[1:6]
    target = sys.argv[7:]
    allowed, denied = calls[:2], calls[2:]
    seen = []
    for mode in ["legacy", "auto"]:
        if transport == "stdio":
            seen.append(await work(StdioServerParameters(command=target[0], args=target[1:]), mode, allowed, denied))
        else:
            url, token = target
            async with create_mcp_http_client(headers={"Authorization": f"Bearer {token}"}) as http:
                seen.append(await work(streamable_http_client(url, http_client=http), mode, allowed, denied))
    print(json.dumps(seen))


asyncio.run(main())
