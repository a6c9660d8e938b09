// What pages gain where scripts run. Everything works without it.
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    const said = button.nextElementSibling;
    try {
      await navigator.clipboard.writeText(source.textContent);
      said.textContent = "Copied";
    } catch {
      said.textContent = "Select the text and copy it by hand";
    }
  });
}

// The field of the search answers while one types. Arrows choose, Enter opens, Escape closes.
for (const form of document.querySelectorAll("form.search")) {
  const field = form.querySelector("input[type=search]");
  const list = document.createElement("div");
  const said = document.createElement("span");
  list.id = `${field.id}-found`;
  list.className = "found";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Found");
  said.className = "unseen";
  said.setAttribute("aria-live", "polite");
  form.append(list, said);
  for (const [name, value] of [["role", "combobox"], ["aria-expanded", "false"], ["aria-controls", list.id], ["aria-autocomplete", "list"]]) {
    field.setAttribute(name, value);
  }
  let waiting = 0;
  let asked = null;
  let chosen = -1;

  const close = () => {
    list.hidden = true;
    chosen = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  const choose = (at) => {
    const options = [...list.children];
    if (!options.length) return;
    chosen = (at + options.length) % options.length;
    options.forEach((option, number) => option.setAttribute("aria-selected", String(number === chosen)));
    field.setAttribute("aria-activedescendant", options[chosen].id);
    options[chosen].scrollIntoView({ block: "nearest" });
  };
  // Names come from outside: they are put in as text, never as markup.
  const show = (answer) => {
    list.replaceChildren(...answer.found.map((one, at) => {
      const option = document.createElement("a");
      const name = document.createElement("b");
      const beside = document.createElement("span");
      option.id = `${list.id}-${at}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.href = one.path;
      option.tabIndex = -1;
      name.textContent = one.name;
      beside.textContent = one.kind === "tool" ? `${one.class}, ${one.severity} · ${one.server}` : "server";
      option.append(name, " ", beside);
      return option;
    }));
    chosen = -1;
    list.hidden = !answer.found.length;
    field.setAttribute("aria-expanded", String(!list.hidden));
    said.textContent = answer.total === 1 ? "1 entry found" : `${answer.total} entries found`;
  };
  const ask = async () => {
    asked?.abort();
    const words = field.value.trim();
    if (words.length < 2) return close();
    asked = new AbortController();
    const query = new URLSearchParams(new FormData(form));
    query.set("limit", "8");
    try {
      const response = await fetch(`/search/index.json?${query}`, { signal: asked.signal });
      if (response.ok) show(await response.json());
    } catch (error) {
      if (error.name !== "AbortError") close();
    }
  };
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, 120);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return close();
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(chosen < 0 && event.key === "ArrowUp" ? -1 : chosen + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && chosen >= 0) {
      event.preventDefault();
      list.children[chosen].click();
    }
  });
  form.addEventListener("focusout", (event) => {
    if (!form.contains(event.relatedTarget)) close();
  });
}
