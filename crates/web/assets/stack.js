// Leaves of a pasted configuration only what names servers, before anything is sent.
const words = (text) => text.split(" ");
const PLACES = words("mcpServers servers context_servers mcp_servers mcp mcp.servers amp.mcpServers extensions");
const RUNNERS = /^(npx|bunx|pnpx|npm|pnpm|yarn|bun|uvx?|pipx|docker|podman|nerdctl|cmd)$/;
const ALONE = words("-- -y --yes -q --quiet --silent --bun -i -t -it -ti --rm --init --interactive --tty -d --detach --privileged --refresh --no-cache -n --prefer-online --prefer-offline");
const TAKING = words("-e --env --env-file -v --volume --mount --name --network --net -p --publish -u --user --entrypoint -w --workdir --platform --python --with --registry --index-url");
const isObject = (value) => Object(value) === value && !Array.isArray(value);
const isKey = (word) => /^(sk-|gh[a-z]_|github_pat_|xox|AKIA|eyJ|glpat-)|^[\da-f-]{32,}$|^(?=.*\d)(?=.*[a-z])[a-z\d]{16,}$/i.test(word);
const isName = (word) => typeof word === "string" && /^@?[A-Za-z0-9][\w.\-/:@+[\]=~<>]{0,119}$/.test(word) && !word.split(/[/@:]/).some(isKey);

// JSON with comments.
function json(text) {
  const plain = text
    .replace(/("(?:\\.|[^"\\])*")|\/\/.*|\/\*[^]*?\*\//g, "$1 ")
    .replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, "$1");
  return JSON.parse(/^\s*"/.test(plain) ? `{${plain}}` : plain);
}

// TOML.
function toml(text) {
  const servers = {};
  let table = null;
  const joined = text.replace(/=\s*\[[^\]]*\]/g, (list) => list.replace(/#[^\n"']*$/gm, "").replace(/\s*\n\s*/g, " "));
  for (const line of joined.split(/\r?\n/)) {
    const head = line.match(/^\s*\[+\s*(.+?)\s*\]+\s*(#.*)?$/);
    if (head) {
      const name = head[1].match(/^mcp_servers\.(["']?)([^"']+)\1$/);
      table = name && (name[1] || !name[2].includes(".")) ? (servers[name[2]] = {}) : null;
      continue;
    }
    const pair = table && line.match(/^\s*(command|args|url|enabled)\s*=\s*(.+?)\s*$/);
    if (!pair) continue;
    const texts = [...pair[2].matchAll(/"((?:\\.|[^"\\])*)"|'([^']*)'/g)].map((word) => word[2] ?? JSON.parse(`"${word[1]}"`));
    table[pair[1]] = pair[1] === "args" ? texts : pair[1] === "enabled" ? !/^false/.test(pair[2]) : texts[0];
  }
  return { mcpServers: servers };
}

// YAML, as far as configurations use it: maps and lists, by indentation or in brackets. Texts of several lines are passed over.
const QUOTED = /"(?:\\.|[^"\\])*"|'(?:''|[^'])*'/.source;
const PAIR = new RegExp(`^(${QUOTED}|[^\\s"'[\\]{},#&*!|>%@\`].*?)\\s*:(?:\\s+(.*))?$`);
const isItem = (line) => /^-(\s|$)/.test(line);

function scalar(word) {
  if (word[0] === '"') return JSON.parse(word);
  if (word[0] === "'") return word.slice(1, -1).replaceAll("''", "'");
  return word === "true" || (word === "false" ? false : word);
}

function brackets(text) {
  const tokens = text.match(new RegExp(`${QUOTED}|[[\\]{},]|:(?=\\s|["'[{]|$)|[^\\s[\\]{},:"'](?:[^[\\]{},:]|:(?!\\s|$))*`, "g"));
  const next = () => {
    const token = tokens.shift()?.trim();
    const end = { "[": "]", "{": "}" }[token];
    if (!end) {
      if (!token || /^[\]},:]$/.test(token)) throw 0;
      return scalar(token);
    }
    const list = [];
    const map = {};
    while (tokens[0] !== end) {
      const one = next();
      list.push(one);
      map[one] = tokens[0] === ":" ? (tokens.shift(), next()) : null;
      if (tokens[0] === ",") tokens.shift();
    }
    tokens.shift();
    return end === "]" ? list : map;
  };
  return next();
}

function yaml(text) {
  const comment = new RegExp(`(${QUOTED})|(^|\\s)#.*`, "g");
  const lines = text.split(/\r?\n/).map((line) => line.replace(comment, "$1").trimEnd()).filter((line) => line && !/^(---|%)/.test(line))
    .map((line) => [line.search(/\S/), line.trim()]);
  const depth = () => lines[0]?.[0] ?? -1;
  const value = (word, before, least) => {
    if (!word) return depth() > before || (depth() === least && isItem(lines[0][1])) ? block(depth()) : null;
    const count = (marks) => word.replace(new RegExp(QUOTED, "g"), "").match(marks)?.length ?? 0;
    if (!/^[[{]/.test(word)) return scalar(word);
    while (lines.length && count(/[[{]/g) > count(/[\]}]/g)) word += ` ${lines.shift()[1]}`;
    return brackets(word);
  };
  const block = (own) => {
    const list = isItem(lines[0][1]);
    const all = list ? [] : {};
    while (depth() === own && isItem(lines[0][1]) === list) {
      const [, line] = lines.shift();
      const rest = list ? line.slice(1).trimStart() : line;
      const pair = rest.match(PAIR);
      if (!list) {
        if (!pair) throw 0;
        all[scalar(pair[1])] = value(pair[2], own, own);
      } else if (pair) {
        lines.unshift([own + line.length - rest.length, rest]);
        all.push(block(depth()));
      } else all.push(value(rest, own));
      while (depth() > own) lines.shift();
    }
    return all;
  };
  const whole = block(depth());
  if (lines.length) throw 0;
  return whole;
}

const isYaml = (text) => /^(---|- |[^=[]+:(\s|$))/.test(text.split("\n").map((line) => line.trim()).find((line) => line && line[0] !== "#") ?? "");

function address(url) {
  const found = String(url).match(/^(https?):\/\/(?:[^/?#]*@)?([^/?#@]+)(\/[^?#]*)?/);
  if (!found) return null;
  const path = (found[3] ?? "/").split("/");
  const end = path.findIndex(isKey);
  return `${found[1]}://${found[2]}${(end < 0 ? path : path.slice(0, end)).join("/")}`;
}

function command(all) {
  const program = all[0].split(/[\\/]/).pop().replace(/\.(exe|cmd|bat)$/i, "").toLowerCase();
  const rest = all.slice(1);
  if (program === "env") {
    const first = rest.findIndex((word) => !/=|^-/.test(word));
    return first < 0 ? null : command(rest.slice(first));
  }
  if (!RUNNERS.test(program)) return isName(program) ? { command: program } : null;
  const args = [];
  while (/^(exec|x|dlx|tool|run|\/c)$/i.test(rest[0] ?? "")) args.push(rest.shift());
  if (program === "cmd") return rest.length ? command(rest) : null;
  while (rest.length) {
    const word = rest.shift();
    if (/^(--package|--from|--spec)$/.test(word) || (word === "-p" && /^np/.test(program))) {
      return isName(rest[0]) ? { command: program, args: [...args, word, rest[0], "x"] } : null;
    }
    if (ALONE.includes(word) || /^--[\w-]+=|^-[evpulwm]./.test(word)) continue;
    if (TAKING.includes(word)) {
      rest.shift();
      continue;
    }
    if (word.startsWith("-") || !isName(word)) return null;
    args.push(word);
    if (/^(mcp-remote|supergateway|mcp-proxy)(@|$)/.test(word)) args.push(...rest.map(address).filter(Boolean).slice(0, 1));
    const hosted = rest[rest.indexOf("run") + 1];
    if (word.startsWith("@smithery/cli") && isName(hosted)) args.push("run", hosted);
    return { command: program, args };
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
  const all = [].concat(typeof start === "string" ? start.trim().split(/\s+/) : start ?? [], args ?? []).filter((word) => typeof word === "string");
  return (start && all.length) ? command(all) ?? { command: "node" } : null;
}

function search(value, depth, found) {
  if (!isObject(value) || depth > 5) return;
  for (const [key, inner] of Object.entries(value)) {
    if (PLACES.includes(key)) table(inner, depth + 1, found);
    else if (!["env", "headers", "inputs"].includes(key)) search(inner, depth + 1, found);
  }
}

function table(value, depth, found) {
  if (depth > 6) return;
  const pairs = Array.isArray(value) ? value.map((one) => [one?.name ?? "", one]) : Object.entries(Object(value));
  for (const [name, inner] of pairs) {
    const one = entry(inner);
    if (one) found.push({ name: isName(name) ? name : "", ...one });
    else if (PLACES.includes(name)) table(inner, depth + 1, found);
  }
}

function stripped(text) {
  const bare = text.replace(/^\uFEFF/, "");
  const whole = /^\s*[{"/]/.test(bare) ? json(bare) : isYaml(bare) ? yaml(bare) : toml(bare);
  const found = [];
  search(whole, 0, found);
  if (!found.length) table({ ...whole, "": whole }, 0, found);
  return found;
}

const form = document.getElementById("paste");
const field = form.elements.config;
document.getElementById("warning").hidden = true;
document.getElementById("stripped").hidden = false;
field.setAttribute("aria-describedby", "stripped");
form.addEventListener("submit", (event) => {
  try {
    const mcpServers = stripped(field.value);
    if (!mcpServers.length) throw 0;
    field.value = JSON.stringify({ mcpServers }, null, 1);
  } catch {
    event.preventDefault();
    document.getElementById("said").textContent = "No servers found (JSON, TOML or YAML), so nothing was sent.";
    field.focus();
  }
});
