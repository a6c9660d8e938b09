// Walks the pages of a catalogue in a real browser, and says on stdout what is wrong: a line a fault.
// Arguments: address of the catalogue, the browser, node_modules with playwright-core and axe-core, a folder for screenshots.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { looks } from "./looks.mjs";
import { uses } from "./uses.mjs";

const [address, executablePath, packages, folder] = process.argv.slice(2);
const { chromium } = createRequire(join(packages, "walk.cjs"))("playwright-core");
const axe = readFileSync(join(packages, "axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({
  executablePath,
  chromiumSandbox: false,
  args: [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // Text is drawn alike on every machine.
    "--font-render-hinting=none",
  ],
});

let checks = 0;
/** Says what is wrong at a place, if something is. */
function check(place, right, wrong) {
  checks += 1;
  if (!right) console.log(`${place}: ${typeof wrong === "function" ? wrong() : wrong}`);
}

/** A page in a context of its own: whatever goes wrong in it is told, whichever address it shows. */
async function open(options = {}) {
  const context = await browser.newContext({ baseURL: address, ...options });
  const page = await context.newPage();
  const place = () => `${page.url().replace(address, "/")}${options.javaScriptEnabled === false ? " without script" : ""}`;
  page.setDefaultTimeout(15_000);
  await page.exposeFunction("acted", (number) => check(place(), false, `the script ${number} of an entry ran`));
  page.on("console", (said) => {
    // A page that says that there is none is told as an error too.
    const refused = /status of 4\d\d/.test(said.text()) && said.location().url === page.url();
    if (["error", "warning"].includes(said.type()) && !refused) check(place(), false, `the console says: ${said.text()}`);
  });
  page.on("pageerror", (error) => check(place(), false, `a script failed: ${error.message}`));
  page.on("request", (request) => {
    check(place(), request.url().startsWith(address), `a request to another place: ${request.url()}`);
  });
  page.on("requestfailed", (request) => {
    const why = request.failure()?.errorText;
    // A question that a later one makes needless is given up.
    check(place(), why === "net::ERR_ABORTED", `${request.url()} failed: ${why}`);
  });
  return { page, place, context };
}

const started = Date.now();
const took = {};
for (const [name, part] of Object.entries({ ...looks, ...uses })) {
  const since = Date.now();
  try {
    await part({ open, check, axe, address, folder });
  } catch (error) {
    check(name, false, `the walk ended: ${error.stack}`);
  }
  took[name] = Date.now() - since;
}
await browser.close();
console.error(JSON.stringify({ checks, milliseconds: Date.now() - started, took }));
console.log(`checked ${checks}`);
