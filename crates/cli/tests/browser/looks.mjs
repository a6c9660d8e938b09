// Every kind of page, with and without script, in both colour schemes and at three widths.
import { join } from "node:path";

const NOTES = "/s/acme/notes/";
const EVIL = "/s/evil/right-to-left-and-back/";

/** A page of every kind, and those of hostile entries. */
export const PAGES = {
  home: "/",
  servers: "/servers/",
  "servers-none": "/servers/?letter=x&transport=stdio",
  server: "/s/github/github/",
  "server-long-list": `${NOTES}?page=2`,
  "server-unknown-tools": "/s/acme/empty/",
  "server-hostile": EVIL,
  "server-long-name": "/s/long-names/donaudampfschifffahrtselektrizit%C3%A4tenhauptbetriebswerkbauunterbeamtengesellschaft/",
  tool: "/s/github/github/delete_file/",
  "tool-of-a-command": `${NOTES}run_script/`,
  "tool-hostile": `${EVIL}delete_everything/`,
  "tool-long-name":
    "/s/long-names/donaudampfschifffahrtselektrizit%C3%A4tenhauptbetriebswerkbauunterbeamtengesellschaft/Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft_loeschen_und_nie_mehr_wiederfinden/",
  class: "/class/destructive/",
  severity: "/severity/critical/?page=2",
  facet: "/facet/sends_external/",
  attacks: "/attacks/",
  attack: "/attacks/mcp-rug-pull/",
  glossary: "/glossary/",
  term: "/glossary/rug-pull/",
  clients: "/clients/",
  client: "/clients/cursor/",
  changes: "/changes/",
  search: "/search/?q=note&class=destructive",
  "search-none": "/search/?q=xylophone",
  "stack-empty": "/stack/",
  stack: "/stack/?s=github,gmail,notes,right-to-left-and-back",
  "stack-adding": "/stack/?s=notes&add=git",
  "not-found": "/nowhere/",
};

const WIDTHS = [360, 768, 1280];
// High enough for what a picture should show: to draw whole pages takes much longer.
const HEIGHT = 2000;
const SCHEMES = ["light", "dark"];
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** What axe looks at: everything once in each scheme, and between the narrowest and the widest what hangs on the width. */
const looked = { "360 light": RULES, "1280 dark": RULES, "768 light": ["target-size", "scrollable-region-focusable"] };

/** What reaches beyond the right edge of the window. */
const beyond = () => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return null;
  const all = [...document.body.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > width + 1 && !one.closest("pre"));
  return all.slice(0, 3).map((one) => `${one.tagName}.${one.className} ${one.textContent.slice(0, 40)}`).join("; ") || "something";
};

/** Whether tables have become lists that fit. */
const fitting = () => [...document.querySelectorAll(".wide")].every((one) => one.scrollWidth <= one.clientWidth);

async function faults(page, runOnly) {
  const found = await page.evaluate(async (runOnly) => {
    const { violations } = await axe.run(document, { runOnly, resultTypes: ["violations"] });
    const node = (one) => `${one.html.slice(0, 120)} (${one.failureSummary.split("\n")[1]?.trim()})`;
    return violations.map((one) => `${one.id}: ${one.nodes.slice(0, 3).map(node).join(" | ")}`);
  }, runOnly);
  return found.join("\n  ");
}

async function look({ open, check, axe, folder }, script, pages) {
  const { page, place, context } = await open({ javaScriptEnabled: script });
  for (const [name, path] of pages) {
    const answer = await page.goto(path);
    check(place(), answer.status() === (name === "not-found" ? 404 : 200), () => `answers ${answer.status()}`);
    const { length } = await answer.body();
    check(place(), length <= 50 << 10, `${length} bytes`);
    if (script) await page.evaluate(axe);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: HEIGHT });
      for (const colorScheme of SCHEMES) {
        await page.emulateMedia({ colorScheme });
        const here = `${place()} at ${width}, ${colorScheme}`;
        const rules = script && looked[`${width} ${colorScheme}`];
        const found = rules && (await faults(page, rules));
        check(here, !found, `axe says\n  ${found}`);
        if (colorScheme === "light") {
          const far = await page.evaluate(beyond);
          check(here, far === null, `it scrolls sideways: ${far}`);
          const narrow = width > WIDTHS[0] || (await page.evaluate(fitting));
          check(here, narrow, "a table scrolls sideways, where it should be a list");
        }
        const file = `${name}-${width}-${colorScheme}${script ? "" : "-without-script"}.jpeg`;
        if (script || (width === 360 && colorScheme === "light")) {
          await page.screenshot({ path: join(folder, file), type: "jpeg", quality: 80 });
        }
      }
    }
    // What is enlarged four times has as much room as this.
    await page.setViewportSize({ width: 320, height: 256 });
    const far = await page.evaluate(beyond);
    check(`${place()} enlarged`, far === null, `it scrolls sideways: ${far}`);
  }
  await context.close();
}

/** In two windows at once: a machine has two processors at least. */
async function each(tools, script) {
  const pages = Object.entries(PAGES);
  const half = (which) => look(tools, script, pages.filter((_, at) => at % 2 === which));
  await Promise.all([half(0), half(1)]);
}

export const looks = {
  "with script": (tools) => each(tools, true),
  "without script": (tools) => each(tools, false),
};
