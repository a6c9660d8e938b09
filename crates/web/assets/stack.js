// Takes everything out of a pasted configuration but what names servers, before anything is sent. The
// catalogue does the same with what comes to it; here the rest never leaves the browser.
const PLACES = ["mcpServers", "servers", "context_servers", "mcp_servers", "mcp", "mcp.servers", "amp.mcpServers", "extensions"];
const RUNNERS = /^(npx|bunx|pnpx|npm|pnpm|yarn|bun|uvx|uv|pipx|docker|podman|nerdctl|cmd)$/;
const PLAIN = ["-y", "--yes", "-q", "--quiet", "--silent", "--bun", "-i", "-t", "-it", "-ti", "--rm", "--init", "--interactive", "--tty", "-d",
  "--detach", "--privileged", "--refresh", "--no-cache", "-n", "--isolated", "--offline", "-U", "--upgrade", "--prefer-online", "--prefer-offline"];
const NAMING = ["-p", "--package", "--from", "--spec"];
const TAKING = ["-e", "--env", "--env-file", "-v", "--volume", "--mount", "--name", "--network", "--net", "--publish", "-u", "--user",
  "--entrypoint", "-w", "--workdir", "--platform", "--add-host", "-l", "--label", "-m", "--memory", "--cpus", "--pull", "--python", "--with",
  "--registry", "--index-url", "--extra-index-url", "--pip-args", "--loglevel", "--node-options"];
const VERBS = ["exec", "x", "dlx", "tool", "run", "/c", "/C"];
const BRIDGES = /^(mcp-remote|supergateway|mcp-proxy)(@|$)/;
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isKey = (word) => /^(sk-|gh[a-z]_|github_pat_|xox|AKIA|eyJ|glpat-)/.test(word) || (word.length > 30 && /\d/.test(word) && !/[-/]/.test(word));
const isName = (word) => /^@?[A-Za-z0-9][\w.\-/:@+[\]=~<>]*$/.test(word) && word.length <= 120 && !isKey(word);

// JSON with comments and commas at the end.
function json(text) {
  const plain = text.replace(/^\uFEFF/, "")
    .replace(/("(?:\\.|[^"\\])*")|\/\/[^\n\r]*|\/\*[^]*?\*\//g, (all, quoted) => quoted ?? " ")
    .replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, (all, quoted) => quoted ?? "");
  return JSON.parse(/^\s*"/.test(plain) ? `{${plain}}` : plain);
}

// Of TOML: the tables of servers, with their command, arguments and URL.
function toml(text) {
  const servers = {};
  let table = null;
  const joined = text.replace(/=\s*\[[^\]]*\]/g, (list) => list.replace(/#[^\n"']*$/gm, "").replace(/\s*\n\s*/g, " "));
  for (const line of joined.split(/\r?\n/)) {
    const head = line.match(/^\s*\[+\s*(.+?)\s*\]+\s*(#.*)?$/);
    if (head) {
      const name = head[1].match(/^mcp_servers\.(?:"([^"]*)"|'([^']*)'|([\w-]+))$/);
      table = name ? (servers[name[1] ?? name[2] ?? name[3]] = {}) : null;
      continue;
    }
    const pair = table && line.match(/^\s*(command|args|url|enabled)\s*=\s*(.+?)\s*$/);
    if (!pair) continue;
    const words = [...pair[2].matchAll(/"((?:\\.|[^"\\])*)"|'([^']*)'/g)].map((word) => word[2] ?? JSON.parse(`"${word[1]}"`));
    table[pair[1]] = pair[1] === "args" ? words : pair[1] === "enabled" ? !/^false/.test(pair[2]) : words[0];
  }
  return { mcpServers: servers };
}

function address(url) {
  const found = String(url).match(/^(https?):\/\/(?:[^/?#]*@)?([^/?#@]+)(\/[^?#]*)?/);
  if (!found) return null;
  const path = (found[3] ?? "/").split("/");
  const end = path.findIndex(isKey);
  return `${found[1]}://${found[2]}${(end < 0 ? path : path.slice(0, end)).join("/")}`;
}

function command(words) {
  const program = String(words[0]).split(/[\\/]/).pop().replace(/\.(exe|cmd|bat)$/i, "").toLowerCase();
  if (program === "env") return command(words.slice(1).filter((word, at, all) => all.slice(0, at + 1).some((one) => !/=|^-/.test(one))));
  if (!RUNNERS.test(program)) return isName(program) ? { command: program } : null;
  const kept = [];
  let at = 1;
  while (VERBS.includes(words[at])) kept.push(words[at++]);
  if (program === "cmd") return command(words.slice(at));
  for (; at < words.length; at += 1) {
    const word = words[at];
    if (NAMING.includes(word) && /^(npx|npm|uvx|uv|pipx)$/.test(program)) {
      if (!isName(words[at + 1] ?? "")) return null;
      return { command: program, args: [...kept, word, words[at + 1], "x"] };
    }
    if (PLAIN.includes(word) || word === "--" || /^--[\w-]+=/.test(word) || /^-[evpulwm]./.test(word)) continue;
    if (TAKING.includes(word) || word === "-p") { at += 1; continue; }
    if (word.startsWith("-") || !isName(word)) return null;
    kept.push(word);
    if (BRIDGES.test(word)) kept.push(...words.slice(at + 1).map(address).filter(Boolean).slice(0, 1));
    const hosted = words.indexOf("run", at);
    if (word.startsWith("@smithery/cli") && hosted > 0 && isName(words[hosted + 1] ?? "")) kept.push("run", words[hosted + 1]);
    return { command: program, args: kept };
  }
  return null;
}

function entry(given) {
  if (!isObject(given) || given.disabled === true || given.enabled === false) return null;
  const within = isObject(given.transport) ? given.transport : given;
  const url = within.url ?? within.serverUrl ?? within.httpUrl ?? within.uri;
  if (typeof url === "string") return { url: address(url) ?? "" };
  let start = within.command ?? within.cmd;
  let args = within.args;
  if (isObject(start)) [start, args] = [start.path, start.args];
  if (start === undefined || start === null) return null;
  const words = [].concat(typeof start === "string" ? start.trim().split(/\s+/) : start, args ?? []).filter((word) => typeof word === "string");
  // Where nothing is left, its name may tell.
  return words.length ? command(words) ?? { command: "node" } : null;
}

function search(value, depth, found) {
  if (!isObject(value) || depth > 6) return;
  for (const [key, inner] of Object.entries(value)) {
    if (PLACES.includes(key)) table(inner, depth + 1, found);
    else if (!["env", "headers", "inputs"].includes(key)) search(inner, depth + 1, found);
  }
}

function table(value, depth, found) {
  if (depth > 6 || value === null || typeof value !== "object") return;
  const pairs = Array.isArray(value) ? value.map((one) => [one?.name ?? "", one]) : Object.entries(value);
  for (const [name, inner] of pairs) {
    const one = entry(inner);
    if (one) found.push({ name: isName(String(name)) ? String(name) : "", ...one });
    else if (PLACES.includes(name)) table(inner, depth + 1, found);
  }
}

function stripped(text) {
  const whole = /^\s*[{"/\uFEFF]/.test(text) ? json(text) : toml(text);
  const found = [];
  search(whole, 0, found);
  if (!found.length) table({ ...whole, "": whole }, 0, found);
  return found;
}

const form = document.getElementById("paste");
if (form) {
  const field = form.elements.config;
  const said = document.getElementById("said");
  document.getElementById("warning").hidden = true;
  document.getElementById("stripped").hidden = false;
  field.setAttribute("aria-describedby", "stripped");
  form.addEventListener("submit", (event) => {
    let found = [];
    try {
      found = stripped(field.value);
    } catch {
      // Nothing is sent of what cannot be read.
    }
    if (found.length) {
      field.value = JSON.stringify({ mcpServers: found }, null, 1);
    } else {
      event.preventDefault();
      said.textContent = "No servers were found in this text, so nothing was sent. JSON and TOML are read.";
      field.focus();
    }
  });
}
