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
const SCHEMES = ["light", "dark"];
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** What reaches beyond the right edge of the window. */
const beyond = () => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return null;
  const all = [...document.body.querySelectorAll("*")];
  const far = all.filter((one) => one.getBoundingClientRect().right > width + 1 && !one.closest(".wide, pre, .unseen"));
  return far.slice(0, 3).map((one) => `${one.tagName}.${one.className} ${one.textContent.slice(0, 40)}`).join("; ") || "something";
};

async function broken(page) {
  const found = await page.evaluate(
    async (tags) => (await axe.run(document, { runOnly: tags, resultTypes: ["violations"] })).violations.map((one) =>
      `${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 120)} (${node.any.concat(node.all)[0]?.message ?? one.help})`).join(" | ")}`),
    RULES,
  );
  return found.join("\n  ");
}

async function each({ open, check, axe, folder }, script) {
  const { page, place, context } = await open({ javaScriptEnabled: script });
  for (const [name, path] of Object.entries(PAGES)) {
    const answer = await page.goto(path, { waitUntil: "load" });
    check(place(), answer.status() === (name === "not-found" ? 404 : 200), () => `answers ${answer.status()}`);
    const size = (await answer.body()).length;
    check(place(), size <= 50 << 10, `${size} bytes`);
    if (script) await page.evaluate(axe);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      for (const colorScheme of SCHEMES) {
        await page.emulateMedia({ colorScheme });
        const here = `${place()} at ${width}, ${colorScheme}`;
        const far = await page.evaluate(beyond);
        check(here, far === null, `it scrolls sideways: ${far}`);
        if (script) {
          const faults = await broken(page);
          check(here, !faults, `axe says\n  ${faults}`);
        }
        const file = `${name}-${width}-${colorScheme}${script ? "" : "-without-script"}.png`;
        if (script || (width === 360 && colorScheme === "light")) await page.screenshot({ path: join(folder, file), fullPage: true });
      }
    }
  }
  await context.close();
}

export const looks = {
  "with script": (tools) => each(tools, true),
  "without script": (tools) => each(tools, false),
};
