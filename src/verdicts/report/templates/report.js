(() => {
  const at = (id) => document.getElementById(id);
  const claims = [...document.querySelectorAll("li.claim")];
  const filters = ["verdict", "source", "part"].map(at).filter(Boolean);
  const search = at("search");
  const menu = at("matches");

  // The state of the page is its address: a plain anchor, or filters and the open claim
  const state = () => (location.hash.includes("=") ? new URLSearchParams(location.hash.slice(1)) : new URLSearchParams());
  const keep = (opened) => {
    const wanted = new URLSearchParams(filters.filter((one) => one.value).map((one) => [one.id, one.value]));
    if (!wanted.size) return history.replaceState(null, "", opened ? `#claim-${opened}` : location.pathname);
    if (opened) wanted.set("open", opened);
    return history.replaceState(null, "", `#${wanted}`);
  };

  const show = () => {
    claims.forEach((claim) => { claim.hidden = filters.some((one) => one.value && one.value !== claim.dataset[one.id]); });
    const shown = claims.filter((claim) => !claim.hidden);
    const unfiltered = shown.length === claims.length;
    document.querySelectorAll(".group, .part").forEach((one) => { one.hidden = !unfiltered && !one.querySelector("li.claim:not([hidden])"); });
    // Groups with pages of their own are folded; a filter opens those in which it finds something
    document.querySelectorAll(".elsewhere").forEach((one) => {
      if (!unfiltered) one.open = Boolean(one.querySelector("li.claim:not([hidden])"));
      else if (one.dataset.searched) one.open = false;
      one.dataset.searched = unfiltered ? "" : "yes";
    });
    if (at("shown")) at("shown").textContent = `${shown.length} of ${claims.length} claims`;
    rove(shown.find((claim) => claim.checkVisibility()));
  };

  // The search: all that can be gone to, each with its name, a title, more words, and its address
  const text = (one) => one?.textContent.replace(/\s+/g, " ").trim() ?? "";
  const anchor = (one) => `#${one?.closest("[id]").id}`;
  const all = (places) => [...document.querySelectorAll(places)];
  const collected = () => {
    const codes = all("main code").map((one) => [one, text(one)]);
    const once = (list) => [...new Map(list.map((one) => [one[1], one])).values()];
    const listed = [
      ...all(".answers dt").map((one) => ["answer", "", text(one.lastChild), text(one.nextElementSibling), "#paper"]),
      ...all(".paper > li").map((one) => ["claim of the paper", text(one.querySelector(".id")), text(one.querySelector(".sentence")), text(one.querySelector(".measured")), anchor(one)]),
      ...["[data-paper]:not([data-paper=''])", "[data-paper='']"].flatMap((role) => all(`li.claim${role}`)).map((one) => ["claim", one.dataset.id,
        text(one.querySelector(".title")), `${one.dataset.paper} ${one.querySelector("a.row")?.title ?? [".statement", ".particulars", ".checks td > .soft"].flatMap((place) => [...one.querySelectorAll(place)].map(text)).join(" ")}`, one.querySelector("a.row")?.getAttribute("href") ?? anchor(one)]),
      ...all(".conditions li").map((one) => ["condition", "", `${text(one.closest(".paper > li").querySelector(".id"))}: ${text(one)}`, "", anchor(one)]),
      ...all("#figures li a").map((one) => ["figure", text(one.querySelector("b")), text(one).replace(/^Figure \w+ /, ""), one.title, one.getAttribute("href")]),
      ...all("main :is(h1, h2, h3, h4)").filter((one) => one.closest("[id]").id !== "main" && !one.closest(".body"))
        .map((one) => ["section", "", text(one), "", anchor(one)]),
      ...all("#limitations li").map((one) => ["limitation", "", text(one), "", anchor(one)]),
      ...all("#exhibits tbody tr, #deviations tbody tr").map((one) => [one.closest("#exhibits") ? "exhibit" : "deviation", "", text(one.cells[0]), text(one), anchor(one)]),
      ...once(codes.filter(([, name]) => /^[\w./-]+\/[\w.-]+\.\w+(:|$)/.test(name)).map(([one, name]) => ["file", name.split(":")[0], "", "", one.closest("a")?.getAttribute("href") ?? anchor(one)])),
      ...once(codes.filter(([, name]) => /^(bash|ams) /.test(name)).map(([one, name]) => ["command", name, "", "", anchor(one)])),
    ];
    return listed.map(([kind, name, title, more, href]) => ({ kind, name, title, href, head: `${name} ${title}`.toLowerCase(), words: `${name} ${title} ${more}`.toLowerCase() }));
  };

  // Best: that very name, a name that begins so, all words (or phrases, in quotes) in the title, all of them anywhere.
  // What looks like an id (C2, P2c) is a whole word: it is not looked for inside others (ZINC250k)
  let places;
  const AT_MOST = 5; // of a kind
  const finder = (term) => {
    if (!/^[a-z]{1,2}\d+[a-z]?$/.test(term)) return (place) => place.includes(term);
    const whole = new RegExp(`(?<![\\p{L}\\p{N}])${term}(?![\\p{L}\\p{N}])`, "u");
    return (place) => whole.test(place);
  };
  const matching = () => {
    const wanted = search.value.toLowerCase().replace(/[“”]/g, '"').trim();
    const found = [...wanted.matchAll(/"([^"]+)"?|[^\s"]+/g)].map((one) => finder(one[1] ?? one[0]));
    if (!found.length) return [];
    places ??= collected();
    const rank = ({ name, head, words }) => [name.toLowerCase() === wanted, name.toLowerCase().startsWith(wanted), ...[head, words].map((place) => found.every((one) => one(place)))].indexOf(true);
    const ranked = places.map((one) => [rank(one), one]).filter(([place]) => place >= 0).sort(([one], [other]) => one - other).map(([, one]) => one);
    const counted = {};
    return ranked.filter(({ kind }) => { counted[kind] = (counted[kind] ?? 0) + 1; return counted[kind] <= AT_MOST; });
  };
  let [listed, chosen] = [[], 0];
  const choose = (n) => {
    chosen = n;
    [...menu.children].forEach((one, k) => one.setAttribute("aria-selected", k === n));
    search.setAttribute("aria-activedescendant", listed.length ? `match-${n}` : "");
    menu.children[n]?.scrollIntoView({ block: "nearest" });
  };
  const drop = (open) => {
    listed = open ? matching() : [];
    const box = search.getBoundingClientRect();
    Object.assign(menu.style, { top: `${box.bottom}px`, left: `${box.left}px` });
    menu.hidden = !(open && search.value.trim());
    search.setAttribute("aria-expanded", !menu.hidden);
    menu.replaceChildren(...(listed.length ? listed : [{ kind: "", name: "", title: "Nothing found" }]).map(({ kind, name, title }, n) => {
      const item = document.createElement("li");
      const label = document.createElement("span");
      const [what, strong] = [document.createElement("small"), document.createElement("b")];
      [what.textContent, strong.textContent] = [kind, name];
      label.append(strong, ` ${title}`);
      item.append(what, label);
      Object.assign(item, { id: `match-${n}`, role: "option" });
      return item;
    }));
    choose(0);
  };
  const go = (one) => {
    if (!one) return;
    drop(false);
    if (!one.href.startsWith("#")) { location.href = one.href; return; }
    if (location.hash === one.href) follow();
    else location.hash = one.href;
    at(one.href.slice(1))?.querySelector("summary, a")?.focus({ preventScroll: true });
  };
  search.addEventListener("input", () => drop(true));
  search.addEventListener("focus", () => drop(true));
  search.addEventListener("blur", () => drop(false));
  search.addEventListener("keydown", (event) => {
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (way && listed.length) { event.preventDefault(); choose((chosen + way + listed.length) % listed.length); }
    if (event.key === "Enter") go(listed[chosen]);
    if (event.key === "Escape" && !menu.hidden) { event.preventDefault(); drop(false); }
  });
  menu.addEventListener("mousedown", (event) => { // before the box loses the focus
    event.preventDefault();
    go(listed[[...menu.children].indexOf(event.target.closest("li"))]);
  });

  // The list of claims is one stop of the tab key; arrows move within it
  const rows = () => claims.filter((claim) => claim.checkVisibility()).map((claim) => claim.querySelector(".row"));
  const rove = (claim) => claims.forEach((one) => { one.querySelector(".row").tabIndex = one === claim ? 0 : -1; });
  document.addEventListener("keydown", (event) => {
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!way || !event.target.matches(".row")) return;
    event.preventDefault();
    rows()[rows().indexOf(event.target) + way]?.focus();
  });
  document.addEventListener("focusin", ({ target }) => { if (target.matches(".row")) rove(target.closest("li.claim")); });

  // A chart moves once it comes into view; its library is unpacked for the first one
  let library;
  const unpacked = async () => {
    const bytes = Uint8Array.from(atob(at("library").textContent), (sign) => sign.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  };
  const playable = (slider) => {
    const button = document.createElement("button");
    const move = (value) => { slider.value = value; slider.dispatchEvent(new Event("input")); };
    let timer = 0;
    const stop = () => { clearInterval(timer); timer = 0; button.textContent = "Play"; };
    button.type = "button";
    button.addEventListener("click", () => {
      if (timer) return stop();
      button.textContent = "Stop";
      if (slider.value === slider.max) move(slider.min);
      timer = setInterval(() => (slider.value === slider.max ? stop() : move(slider.valueAsNumber + Number(slider.step))), 400);
      return timer;
    });
    stop();
    slider.parentElement.after(button);
  };
  const seen = new IntersectionObserver((entries) => entries.filter((one) => one.isIntersecting).forEach(async ({ target }) => {
    seen.unobserve(target);
    await (library ??= unpacked());
    const frame = document.createElement("div");
    frame.className = "chart";
    const spec = JSON.parse(target.querySelector("script").textContent);
    // On a phone a chart is narrow rather than its text small
    for (const one of [spec, ...(spec.vconcat ?? [])]) if (one.width && !one.encoding?.xOffset) one.width = Math.min(one.width, Math.max(220, target.clientWidth - 130));
    await window.vegaEmbed(frame, spec, { actions: false, mode: "vega-lite", renderer: "svg" });
    frame.querySelector("svg").setAttribute("aria-hidden", "true"); // what it shows is told in the list of claims
    target.querySelector("img").replaceWith(frame);
    frame.querySelectorAll("input[type=range]").forEach(playable);
  }), { rootMargin: "200px" });
  const enliven = (figure) => {
    if (!figure.querySelector(":scope > script") || !at("library")) return;
    figure.querySelector(".chart")?.replaceWith(new Image());
    seen.observe(figure);
  };
  document.querySelectorAll("figure").forEach(enliven);

  // Where figures are named they are shown once it is opened, from the one copy that the page holds
  const illustrate = (opened) => opened.querySelectorAll("[data-figure]").forEach((frame) => {
    const figure = at(frame.dataset.figure);
    delete frame.dataset.figure;
    if (!figure) return;
    const copy = figure.cloneNode(true);
    copy.removeAttribute("id");
    frame.replaceChildren(copy);
    enliven(copy);
  });
  // A formula or code wider than a phone scrolls by keyboard too
  const reachable = (within) => within.querySelectorAll(".statement, pre.code").forEach((one) => { if (one.scrollWidth > one.clientWidth) one.tabIndex = 0; });
  document.querySelectorAll("details").forEach((one) => one.addEventListener("toggle", () => reachable(one)));
  reachable(document);
  claims.forEach((claim) => claim.querySelector("details")?.addEventListener("toggle", ({ target }) => {
    if (!printing && !following) keep(target.open ? claim.dataset.id : "");
  }));

  document.querySelectorAll(".claim > details, .paper details").forEach((one) => one.addEventListener("toggle", () => illustrate(one)));

  let [following, printing] = [false, false];
  const follow = () => {
    const wanted = state();
    const name = wanted.size ? wanted.get("open") && `claim-${wanted.get("open")}` : decodeURIComponent(location.hash.slice(1));
    const target = name ? at(name) : null;
    following = true;
    if (wanted.size || target?.hidden) filters.forEach((one) => { one.value = wanted.get(one.id) || ""; });
    show();
    for (let one = target; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
    const own = target?.querySelector(":scope > details");
    if (own) own.open = true;
    target?.scrollIntoView();
    setTimeout(() => { following = false; });
  };

  filters.forEach((one) => one.addEventListener("input", () => { show(); keep(""); }));
  document.querySelectorAll("form").forEach((one) => one.addEventListener("submit", (event) => event.preventDefault()));
  addEventListener("hashchange", follow);

  // On a phone a row of a table is a list of its cells, each under the head of its column
  document.querySelectorAll("table").forEach((table) => {
    const heads = [...table.querySelectorAll("thead th")].map((one) => one.textContent);
    table.querySelectorAll("tbody tr").forEach((row) => [...row.cells].forEach((cell, n) => { cell.dataset.head = heads[n] ?? ""; }));
    table.classList.add("stacks");
  });

  const theme = (wanted) => { document.documentElement.style.colorScheme = document.documentElement.dataset.scheme = wanted; };
  const remembered = (...given) => { try { return given.length ? localStorage.setItem("theme", given[0]) : localStorage.getItem("theme"); } catch { return null; } };
  if (remembered()) theme(remembered());
  at("theme").addEventListener("click", () => {
    const dark = document.documentElement.style.colorScheme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    theme(dark === "dark" ? "light" : "dark");
    remembered(document.documentElement.style.colorScheme);
  });

  // On a phone the answer comes first
  if (matchMedia("(max-width: 60rem)").matches) at("sections").open = false;

  let closed = [];
  addEventListener("beforeprint", () => {
    printing = true;
    document.querySelectorAll("img[loading]").forEach((picture) => { picture.loading = "eager"; });
    const opened = at("paper") ? ".paper > li > details, #environment > details" : "li.claim > details, .fold, .evidence-of";
    closed = all(opened).filter((one) => !one.open);
    closed.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => { closed.forEach((one) => { one.open = false; }); setTimeout(() => { printing = false; }); });
  follow();
})();
