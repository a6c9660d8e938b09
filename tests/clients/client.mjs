// The TypeScript SDK's client: lists, makes one call that is allowed and one that is not, prints what came.
//
// client.mjs MODULES http|stdio ALLOWED ARGUMENTS DENIED ARGUMENTS -- (URL TOKEN | COMMAND...)
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, transport, allowed, allowedArguments, denied, deniedArguments, , ...target] = process.argv.slice(2);
const package_ = join(modules, "@modelcontextprotocol/client/dist");
const { Client, StreamableHTTPClientTransport } = await import(pathToFileURL(join(package_, "index.mjs")));
const { StdioClientTransport } = await import(pathToFileURL(join(package_, "stdio.mjs")));

const connect = () => {
  if (transport === "stdio") {
    return new StdioClientTransport({ command: target[0], args: target.slice(1), env: process.env, stderr: "inherit" });
  }
  const [url, token] = target;
  return new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { Authorization: `Bearer ${token}` } } });
};

const call = async (client, name, text) => {
  const result = await client.callTool({ name, arguments: JSON.parse(text) });
  const part = result.content.find((part) => part.type === "text");
  return { text: part?.text ?? "", isError: result.isError ?? false };
};

const seen = [];
for (const options of [{}, { versionNegotiation: { mode: "auto" } }]) {
  const client = new Client({ name: "toolgate-tests", version: "1" }, options);
  await client.connect(connect());
  const { tools } = await client.listTools();
  seen.push({
    tools: tools.map((tool) => tool.name),
    allowed: await call(client, allowed, allowedArguments),
    denied: await call(client, denied, deniedArguments),
  });
  await client.close();
}
console.log(JSON.stringify(seen));
