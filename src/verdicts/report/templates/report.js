(() => {
  const list = document.getElementById("list");
  const claims = [...list.children];
  const filters = ["verdict", "source", "part"].map((name) => [name, document.getElementById(`by-${name}`)]);
  const sort = document.getElementById("sort");
  const unfold = document.getElementById("unfold");

  const rank = { verdict: ["refuted", "inconclusive", "not run", "holds"], evidence: ["algebra", "exact law", "common noise", "Monte Carlo", "experiment"] };
  const place = (claim, name) => (rank[name] ? rank[name].indexOf(claim.dataset[name]) : claim.dataset[name]);
  const compare = (name) => (one, other) => {
    const [a, b] = [place(one, name), place(other, name)];
    const first = name === "order" ? 0 : a < b ? -1 : a > b ? 1 : 0;
    return first || Number(one.dataset.order) - Number(other.dataset.order);
  };

  const show = () => {
    claims.forEach((claim) => {
      claim.hidden = filters.some(([name, chosen]) => chosen.value && chosen.value !== claim.dataset[name]);
    });
    list.append(...[...claims].sort(compare(sort.value)));
    const shown = claims.filter((claim) => !claim.hidden).length;
    document.getElementById("shown").textContent = `${shown} of ${claims.length} claims`;
  };

  // A row shows its figures once it is opened, from the one copy that the page holds
  const illustrate = (claim) => claim.querySelectorAll("figure.evidence:empty").forEach((frame) => {
    const picture = document.querySelector(`[id="${frame.dataset.figure}"] > img`);
    if (picture) frame.append(picture.cloneNode());
  });
  claims.forEach((claim) => claim.firstElementChild.addEventListener("toggle", ({ target }) => {
    if (target === claim.firstElementChild && target.open) illustrate(claim);
  }));

  const open = (wanted) => claims.forEach((claim) => { claim.firstElementChild.open = wanted; });
  const follow = () => {
    const claim = claims.find((one) => `#${one.id}` === decodeURIComponent(location.hash));
    if (!claim) return;
    if (claim.hidden) { filters.forEach(([, chosen]) => { chosen.value = ""; }); show(); }
    claim.firstElementChild.open = true;
    claim.scrollIntoView();
  };

  [...filters.map(([, chosen]) => chosen), sort].forEach((control) => control.addEventListener("change", show));
  unfold.addEventListener("click", () => {
    const wanted = claims.some((claim) => !claim.firstElementChild.open);
    open(wanted);
    unfold.textContent = wanted ? "Close all" : "Open all";
  });
  let before = [];
  const awaken = () => document.querySelectorAll("img[loading]").forEach((picture) => { picture.loading = "eager"; });
  addEventListener("beforeprint", () => { awaken(); before = claims.map((claim) => claim.firstElementChild.open); open(true); });
  addEventListener("afterprint", () => claims.forEach((claim, n) => { claim.firstElementChild.open = before[n]; }));
  addEventListener("hashchange", follow);
  show();
  follow();
})();
