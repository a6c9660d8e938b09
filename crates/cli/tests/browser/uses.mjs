// What people do on the pages: keys, search, copying, pasting a configuration, printing.
const TOOL = "/s/github/github/delete_file/";

/** Secrets, each where clients' files keep some. */
const PLANTED = {
  "a token in the environment": "ghp_PlantedTokenOfSomebody0123456789abcd",
  "a password in an address": "planted-password",
  "a key in a query": "sk-planted-key-in-a-query-0123456789",
  "a header": "Bearer planted.header.value",
  "a key in a path": "9f8e7d6c5b4a39281706f5e4d3c2b1a0",
  "a folder of somebody": "/home/planted-name/private",
  "a value behind an option": "planted-behind-an-option",
};

const CONFIGURATION = JSON.stringify({
  mcpServers: {
    github: { command: "docker", args: ["run", "-e", "X=planted-behind-an-option", "ghcr.io/github/github-mcp-server"], env: { GITHUB_TOKEN: PLANTED["a token in the environment"] } },
    files: { command: "npx", args: ["-y", "@modelcontextprotocol/server-filesystem", PLANTED["a folder of somebody"], "--api-key", "planted-behind-an-option"] },
    remote: {
      url: `https://ann:planted-password@mcp.example.com/${PLANTED["a key in a path"]}/mcp?key=${PLANTED["a key in a query"]}`,
      headers: { Authorization: PLANTED["a header"] },
    },
  },
});

/** The same two servers as Goose keeps them, in YAML. */
const IN_YAML = `# ${PLANTED["a header"]}
GOOSE_MODEL: x
extensions:
  github:
    type: stdio
    cmd: docker
    args: [run, -e, X=planted-behind-an-option, ghcr.io/github/github-mcp-server]
    envs: { GITHUB_TOKEN: ${PLANTED["a token in the environment"]} }
  files:
    description: >-
      ${PLANTED["a folder of somebody"]}
      extensions:
    cmd: npx # ${PLANTED["a key in a path"]}
    args:
    - -y
    - "@modelcontextprotocol/server-filesystem"
    - ${PLANTED["a folder of somebody"]}
    - --api-key
    - planted-behind-an-option
  developer:
    type: builtin
    enabled: true
`;

function leaks(check, place, text) {
  const plain = `${text} ${decodeURIComponent(text.replace(/\+/g, " ").replace(/%(?![\da-f]{2})/gi, "%25"))}`;
  for (const [what, secret] of Object.entries(PLANTED)) check(place, !plain.includes(secret), `${what} is in it`);
}

/** What has the focus: its name, and whether one can see that it has. */
const focused = () => {
  const one = document.activeElement;
  const style = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  return {
    name: one === document.body ? "" : (one.getAttribute("aria-label") || one.labels?.[0]?.textContent || one.textContent || one.id).trim(),
    id: one.id,
    ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    seen: box.width > 0 && box.height > 0 && box.right > 0 && box.bottom > 0 && box.top < innerHeight && box.left < innerWidth,
  };
};

async function keyboard({ open, check }) {
  const { page, place, context } = await open({ reducedMotion: "reduce" });
  for (const [path, wanted] of [
    [TOOL, ["Skip to content", "Toolgate", "Search servers and tools", "Search", "Servers", "Attacks", "Your stack", "Changes", "Catalogue", "Servers", "GitHub"]],
    ["/", ["Skip to content", "Toolgate", "Servers", "Attacks", "Your stack", "Changes", "Search servers and tools", "Search", "see everything that your agents can call"]],
    ["/stack/", ["Skip to content", "Toolgate", "Search servers and tools", "Search", "Servers", "Attacks", "Your stack", "Changes", "Catalogue", "Name, repository, package or endpoint of a server", "Add", "Or paste a configuration", "Configuration", "See what they can do"]],
  ]) {
    await page.goto(path);
    for (const name of wanted) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(focused);
      check(place(), at.name === name, `the tab key leads to “${at.name}” where “${name}” should be`);
      check(place(), at.ring && at.seen, `nobody sees that “${at.name}” has the focus`);
    }
    await page.goto(path);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    check(place(), (await page.evaluate(focused)).id === "main", "the skip link does not lead to the content");
  }
  await context.close();
}

async function search({ open, check, axe }) {
  const { page, place, context } = await open();
  await page.goto("/");
  const field = page.locator("#words");
  const options = page.locator("#words-found [role=option]");
  const first = () => options.first().textContent();
  const until = (text) => page.waitForFunction((wanted) => document.querySelector("#words-found [role=option]")?.textContent.includes(wanted), text);
  await field.pressSequentially("delete_rep");
  await until("delete_repository");
  check(place(), /entr(y|ies) found/.test(await page.locator("#words ~ [aria-live]").textContent()), "nobody hears how many there are");
  await page.evaluate(axe);
  const faults = await page.evaluate(async () => (await axe.run("form.search")).violations.map((one) => one.id));
  check(place(), faults.length === 0, `axe says of the open list: ${faults}`);
  await field.fill("delete_not");
  await until("delete_note");
  check(place(), !(await first()).includes("repository"), "other words find the same");
  await page.keyboard.press("ArrowDown");
  const chosen = await field.getAttribute("aria-activedescendant");
  check(place(), (await page.locator(`[id="${chosen}"]`).getAttribute("aria-selected")) === "true", "the arrow chooses nothing");
  await page.keyboard.press("Escape");
  check(place(), await page.locator("#words-found").isHidden(), "Escape does not close the list");
  await field.fill("delete_everything");
  await until("delete_everything");
  await page.keyboard.press("ArrowDown");
  await Promise.all([page.waitForURL(/delete_everything/), page.keyboard.press("Enter")]);
  await context.close();

  const plain = await open({ javaScriptEnabled: false });
  await plain.page.goto(TOOL);
  await plain.page.locator("#q").fill("delete_note");
  await Promise.all([plain.page.waitForURL(/\/search\/\?q=delete_note$/), plain.page.keyboard.press("Enter")]);
  const found = await plain.page.locator(".results a").first().textContent();
  check(plain.place(), found === "delete_note", `the form finds ${found}`);
  await plain.context.close();
}

async function copying({ open, check }) {
  const { page, place, context } = await open({ permissions: ["clipboard-read", "clipboard-write"] });
  await page.goto(TOOL);
  const button = page.locator("[data-copy=policy-patch]");
  await button.click();
  await page.locator("[data-copy=policy-patch] + [aria-live]").filter({ hasText: "Copied" }).waitFor();
  const [copied, shown] = await page.evaluate(async () => [await navigator.clipboard.readText(), document.getElementById("policy-patch").textContent]);
  check(place(), copied === shown && copied.includes('"version": "1"'), `copied is ${copied}`);
  await context.close();
  const plain = await open({ javaScriptEnabled: false });
  await plain.page.goto(TOOL);
  check(plain.place(), await plain.page.locator("[data-copy=policy-patch]").isHidden(), "a button that does nothing is shown");
  await plain.context.close();
}

/** Pastes a configuration: `sent` gets what leaves the browser. */
async function paste({ page }, sent, text) {
  await page.goto("/stack/");
  page.on("request", (request) => {
    if (!request.url().includes("/assets/")) sent.push(`${request.url()} ${request.postData() ?? ""}`);
  });
  await page.locator("#config").fill(text);
  await page.locator("#paste button").click();
}

async function pasting({ open, check }) {
  const scripted = await open();
  for (const text of [CONFIGURATION, IN_YAML]) {
    const sent = [];
    await paste(scripted, sent, text);
    await scripted.page.waitForURL(/\/stack\/\?s=/);
    check(scripted.place(), sent.some((one) => one.includes("server-filesystem")), "the configuration was not sent");
    for (const one of sent) leaks(check, `what leaves the browser for ${one.slice(0, 60)}`, one);
    leaks(check, scripted.place(), await scripted.page.content());
    const names = await scripted.page.locator("#servers ~ .wide tbody th a").allTextContents();
    check(scripted.place(), names.length === 2, `the servers of the stack are ${names}`);
  }

  const nothing = [];
  await paste(scripted, nothing, "my password is planted-password");
  await scripted.page.locator("#said").filter({ hasText: "nothing was sent" }).waitFor();
  check(scripted.place(), nothing.length === 0, `something was sent: ${nothing}`);
  await scripted.context.close();

  const plain = await open({ javaScriptEnabled: false });
  await plain.page.goto("/stack/");
  check(plain.place(), await plain.page.locator("#warning").isVisible(), "nobody is warned");
  check(plain.place(), await plain.page.locator("#stripped").isHidden(), "it says that the browser strips");
  for (const [text, end] of [[CONFIGURATION, /\/stack\/\?s=/], [`{ "mcpServers": { "${PLANTED["a header"]}": 3 } }`, /\/stack\/$/]]) {
    const [answer] = await Promise.all([plain.page.waitForResponse((one) => one.request().isNavigationRequest() && one.status() !== 303 && one.url() !== "about:blank" && (one.request().method() === "POST" || end.test(one.url()) && one.request().redirectedFrom() !== null)), paste(plain, [], text)]);
    await plain.page.waitForLoadState();
    check(plain.place(), end.test(plain.page.url()), `it ends at ${plain.page.url()}`);
    leaks(check, plain.place(), `${answer.url()} ${await plain.page.content()}`);
  }
  await plain.context.close();
}

async function printing({ open, check, folder }) {
  const { page, place, context } = await open({ colorScheme: "dark" });
  for (const path of [TOOL, "/s/github/github/", "/attacks/mcp-rug-pull/"]) {
    await page.goto(path);
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    for (const hidden of [".top", ".crumbs", ".toc", ".skip", ".copy", "footer ul"]) {
      const seen = await page.locator(hidden).evaluateAll((all) => all.some((one) => one.checkVisibility()));
      check(place(), !seen, `${hidden} is printed`);
    }
    const printed = await page.evaluate(() => {
      const of = (selector) => getComputedStyle(document.querySelector(selector));
      const light = (colour) => colour.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 765;
      return {
        ink: light(of("main").color),
        paper: light(of("body").backgroundColor),
        links: [...document.querySelectorAll("main p a:not(.chip)")].every((one) => getComputedStyle(one).textDecorationLine === "underline"),
        outside: [...document.querySelectorAll('main a[href^="http"]')].every((one) => getComputedStyle(one, "::after").content.includes(one.href)),
        folded: [...document.querySelectorAll("details > :not(summary)")].some((one) => one.getBoundingClientRect().height === 0),
      };
    });
    check(place(), printed.paper === 1 && printed.ink < 0.2, `ink ${printed.ink} on paper ${printed.paper}`);
    check(place(), printed.links, "a link does not look like one on paper");
    check(place(), printed.outside, "a link out does not say on paper where it leads");
    check(place(), !printed.folded, "what is folded is not printed");
    await page.emulateMedia({ media: null });
  }
  await page.pdf({ path: `${folder}/printed.pdf` });
  await context.close();
}

export const uses = { keyboard, search, copying, pasting, printing };
