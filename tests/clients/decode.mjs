// Reads base64 texts from a file and prints what JSON.parse makes of each call.
import { readFileSync } from "node:fs";

const sorted = (value) => {
  if (Array.isArray(value)) return value.map(sorted);
  if (value && typeof value === "object") {
    return Object.keys(value).sort().map((key) => [key, sorted(value[key])]);
  }
  return Object.is(value, -0) ? "minus zero" : value;
};

const read = (text) => {
  try {
    const message = JSON.parse(Buffer.from(text, "base64").toString("utf8"));
    const { name, arguments: given } = message.params;
    return JSON.stringify({ method: message.method, name, arguments: sorted(given) });
  } catch (error) {
    return { error: String(error) };
  }
};

console.log(JSON.stringify(JSON.parse(readFileSync(process.argv[2], "utf8")).map(read)));
