"use strict";
const game = JSON.parse(document.getElementById("game").textContent);
const id = name => document.getElementById(name);
const LEAST_SCALE = 0.72;  // of a drawn flow: smaller, and its names cannot be read
const SVG = "http://www.w3.org/2000/svg";
const says = (text, wrong = false) => { id("says").textContent = text; id("says").classList.toggle("wrong", wrong); };
const link = new URLSearchParams(location.hash.slice(1));
let number = 0, guarded = false, active = 0;

async function ask(what, document) {
  const answer = await fetch("api/" + what, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(document) });
  const reply = await answer.json().catch(() => ({ error: "the server gave no answer that can be read" }));
  if (!answer.ok) throw new Error(reply.error);
  return reply;
}

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  Object.assign(made, attributes);
  return made;
}

const level = () => game.levels[number - 1];

class Side {
  constructor(section, place) {
    this.section = section; this.place = place; this.style = section.dataset.style;
    this.choices = []; this.undone = []; this.state = null; this.flow = ""; this.busy = Promise.resolve();
    section.addEventListener("focusin", () => activate(place));
    section.addEventListener("click", () => activate(place));
    section.querySelectorAll("[data-do]").forEach(button => button.addEventListener("click", () => this[button.dataset.do]()));
  }
  find(what) { return this.section.querySelector(what); }
  button(what) { return this.find(`[data-do="${what}"]`); }
  known() { return level() ? level().styles[this.style] : null; }
  setup() {
    const own = this.known() || (level() && Object.values(level().styles)[0]);
    return { style: this.style, ...(own ? (guarded ? own.guarded : own.setup) : chosenFreely()) };
  }
  position(choices, on = false) { return { setup: this.setup(), level: this.known() ? number : 0, choices, on }; }

  // Changes come one after the other, however quickly somebody types.
  after(work) {
    this.busy = this.busy.then(work).catch(error => says(`${this.style}: ${error.message}`, true));
    return this.busy;
  }
  async load(choices, on = false) {
    const state = await ask("position", this.position(choices, on));
    const flow = JSON.stringify([this.style, this.setup().variant]);
    if (flow !== this.flow) {
      const drawn = new DOMParser().parseFromString((await ask("flow", { setup: this.setup() })).svg, "text/html");
      const picture = drawn.querySelector("svg");
      this.find(".flow").replaceChildren(picture);
      picture.style.minWidth = `${LEAST_SCALE * picture.width.baseVal.value}px`;
      wide();
      this.flow = flow;
    }
    this.state = state; this.choices = state.choices;
    this.draw(); remember();
  }
  choose(option) { return this.after(async () => { this.from = option.message; this.undone = []; says(""); await this.load([...this.choices, option.choice]); }); }
  next() { const usual = this.state && this.state.options.find(option => option.usual); return usual ? this.choose(usual) : this.busy; }
  time() { const passes = this.state && this.state.options.find(option => !option.message); return passes ? this.choose(passes) : this.busy; }
  undo() { return this.after(async () => { if (!this.choices.length) return; this.undone.push(this.choices.at(-1)); await this.load(this.choices.slice(0, -1)); }); }
  redo() { return this.after(async () => { if (!this.undone.length) return; const choice = this.undone.pop(); await this.load([...this.choices, choice]); }); }
  restart() { return this.after(async () => { this.undone = []; says(""); await this.load([]); }); }
  on() { return this.after(async () => { this.undone = []; await this.load(this.choices, true); }); }
  show() {
    return this.after(async () => {
      const shortest = (await ask("solution", { level: number, style: this.style })).choices;
      this.undone = [...shortest].reverse();
      await this.load([]);
      says(`The shortest game that is known has ${this.known().par} ${this.known().par === 1 ? "move" : "moves"}: press Redo (r) to take its choices one by one.`);
      this.button("redo").focus();
    });
  }
  export() {
    return this.after(async () => {
      const made = await ask("export", this.position(this.choices));
      const name = `play-${this.style}.json`;
      const file = URL.createObjectURL(new Blob([JSON.stringify(made.schedule, null, 1)], { type: "application/json" }));
      element("a", "", { href: file, download: name }).click();
      const same = made.same ? `Simulated without you it ends the same: ${made.ends}.` : `Simulated without you it ends otherwise: ${made.ends || "it does not end"}. A schedule cannot say everything that a player does.`;
      says(`${name} was saved. ${same} saga replay ${name} --simulated shows it step by step; without --simulated it also runs on the real backends.`);
    });
  }

  draw() {
    const state = this.state;
    this.find(".moves").textContent = `${state.moves} ${state.moves === 1 ? "move" : "moves"}, ${state.choices.length} choices`;
    this.button("undo").disabled = !this.choices.length;
    this.button("redo").disabled = !this.undone.length;
    this.button("on").disabled = state.over;
    this.button("show").hidden = !this.known() || guarded;
    this.drawJudge(); this.drawScreen(); this.drawChoices(); this.drawFlow(); this.drawServices();
    this.find(".story").textContent = state.story.join("\n");
  }
  drawJudge() {
    const { orders, over, level: goal, laws } = this.state, box = this.find(".judge"), lines = [];
    const won = Boolean(goal && goal.won);
    this.find(".stars").textContent = won && !guarded ? "★".repeat(goal.stars) + "☆".repeat(3 - goal.stars) : "";
    if (won) lines.push(guarded ? "You found a way although the safeguard is on: export it and tell the authors." : `You did it, with ${this.state.moves} ${this.state.moves === 1 ? "move" : "moves"}. ${level().lesson}`);
    orders.filter(order => order.certain).forEach(order => lines.push(`The judge: ${order.id} is ${order.class} (${order.meaning}).`));
    if (over && laws.length) lines.push(`Broken: ${laws.join("; ")}.`);
    if (over && goal && !won) lines.push("The game is over, and the goal is not reached. Undo, or start again.");
    if (!lines.length) lines.push("The judge: nothing is certain yet.");
    box.replaceChildren(...lines.map(line => element("div", line)));
    box.className = "judge" + (won ? " won" : orders.some(order => order.look === "bad") || laws.length ? " bad" : over && orders.every(order => order.look === "good") ? " good" : "");
  }
  drawScreen() {
    this.find(".screen").replaceChildren(...this.state.orders.map(order => {
      const row = element("div", "");
      row.append(element("span", `The customer of ${order.id} sees `, { className: "soft" }), element("span", order.told.at(-1) || "nothing yet", { className: "phone" }));
      if (order.told.length > 1) row.append(element("span", `shown so far: ${order.told.join(", then ")}`, { className: "soft" }));
      return row;
    }));
  }
  drawChoices() {
    const groups = new Map(), box = this.find(".choices");
    this.state.options.forEach((option, place) => {
      if (!groups.has(option.message)) groups.set(option.message, []);
      groups.get(option.message).push([option, place]);
    });
    box.replaceChildren(...[...groups].map(([message, options]) => {
      const waiting = this.state.waiting.find(one => one.key === message), set = document.createElement("fieldset");
      const whose = waiting && this.state.orders.length > 1 ? `, ${this.state.orders[waiting.order].id}` : "";
      set.append(element("legend", waiting ? waiting.words + whose : "Time"));
      options.forEach(([option, place]) => {
        const button = element("button", "", { type: "button", className: option.usual ? "usual" : "" });
        const key = option.message ? (place < 9 ? String(place + 1) : "") : "t";
        if (key) button.append(element("kbd", key));
        button.append(option.words);
        button.addEventListener("click", () => this.choose(option));
        set.append(button);
      });
      return set;
    }));
    if (this.state.over) box.replaceChildren(element("p", "Nothing can happen any more.", { className: "soft" }));
    if (this.place === active && (document.activeElement === document.body || !document.activeElement)) {
      const usual = box.querySelector(".usual") || this.button("undo");
      usual.focus({ preventScroll: true });
    }
  }
  node(name) { return document.getElementById(`${this.style}-${name}`); }
  drawFlow() {
    const picture = this.find(".flow svg"), before = new Map();
    if (!picture) return;
    picture.querySelectorAll(".dot").forEach(dot => { before.set(dot.dataset.key, dot.getAttribute("style")); dot.remove(); });
    picture.querySelectorAll("g[id]").forEach(node => node.classList.remove("done", "undone", "refused", "twice", "waits"));
    Object.entries(this.state.marks).forEach(([name, mark]) => { const node = this.node(name); if (node) node.classList.add(mark); });
    const here = new Map(), frame = this.find(".flow"), first = this.state.waiting.map(one => this.node(one.node)).find(Boolean);
    if (first) {  // on a narrow screen, scroll to where something happens
      const node = first.getBoundingClientRect(), seen = frame.getBoundingClientRect();
      if (node.left < seen.left || node.right > seen.right) frame.scrollLeft += node.left - seen.left - seen.width / 2;
    }
    this.state.waiting.forEach(one => {
      const node = this.node(one.node);
      if (!node) return;
      node.classList.add("waits");
      const box = node.getBBox(), spot = `${one.kind} ${one.node}`, shift = 13 * (here.get(spot) || 0);
      here.set(spot, (here.get(spot) || 0) + 1);
      const x = one.kind === "request" ? box.x + shift : box.x + box.width - shift, y = one.kind === "request" ? box.y : box.y + box.height;
      const dot = document.createElementNS(SVG, "circle");
      dot.setAttribute("r", 6); dot.setAttribute("class", `dot ${one.kind}`); dot.dataset.key = one.key;
      const end = `transform: translate(${x}px, ${y}px)`;
      dot.setAttribute("style", before.get(one.key) || before.get(this.from) || end);
      const title = document.createElementNS(SVG, "title");
      title.textContent = one.words; dot.append(title); picture.append(dot);
      requestAnimationFrame(() => requestAnimationFrame(() => dot.setAttribute("style", end)));
    });
  }
  drawServices() {
    this.find(".services").replaceChildren(...this.state.services.map(service => {
      const card = element("div", "", { className: "service" }), list = document.createElement("ol");
      card.append(element("h3", service.name), element("div", service.balance, { className: "soft" }));
      service.rows.forEach(row => list.append(element("li", `${row.operation} ${row.effect} ${row.delta}${row.again ? " AGAIN" : ""}`, { className: row.again ? "again" : "" })));
      if (service.rows.length) card.append(list);
      return card;
    }));
  }
}

const sides = [...document.querySelectorAll(".side")].map((section, place) => new Side(section, place));
const form = id("free");

// base.css says then that there is more at the side.
function wide() { document.querySelectorAll(".flow").forEach(box => box.classList.toggle("wider", box.scrollWidth > box.clientWidth + 1)); }
addEventListener("resize", wide);

function activate(place) {
  active = place;
  sides.forEach(side => side.section.classList.toggle("active", side.place === place));
}
function chosenFreely() {
  const off = [...form.querySelectorAll("[name=guard]:not(:checked)")].map(box => "-" + box.value);
  return { guards: off.join(",") || "all", variant: form.variant.value, refused: form.refused.value, orders: Number(form.orders.value) };
}
function describe() {
  const one = level();
  id("demonstration").hidden = Boolean(one);
  if (one) many.stop();
  form.hidden = Boolean(one);
  id("guarded").hidden = !one;
  id("guarded").textContent = guarded ? "Switch the safeguard off" : "Switch the safeguard on";
  id("guarded").setAttribute("aria-pressed", String(guarded));
  id("level").value = String(number);
  if (!one) {
    id("goal").textContent = "Free play: switch safeguards, and break what you can.";
    id("about").textContent = "Nothing moves until you choose. Whatever is not the blue choice costs a move.";
    return;
  }
  const strong = element("strong", one.goal), limits = Object.entries(one.styles).map(([style, known]) => `${known.limit} moves in ${style}`);
  id("goal").replaceChildren(guarded ? "The same with the safeguard on: can you still " : `Level ${one.number}: `, strong, guarded ? "?" : `, in at most ${limits.join(", ")}.`);
  const refused = one.refused ? ` The customer's order will be refused at ${one.refused}.` : "";
  const meaning = guarded ? Object.entries(one.styles).map(([style, known]) => `${style[0].toUpperCase()}${style.slice(1)}: ${known.proof}`).join(" ")
    : `Switched off: ${one.off.join(" and ").replace("none", "all safeguards")} (${one.meaning}).`;
  id("about").textContent = `${meaning}${refused} The blue choice is what happens by itself; every other one costs a move. Three stars for the fewest moves.`;
}
function remember() {
  const words = new URLSearchParams();
  if (number) words.set("level", number); else Object.entries(chosenFreely()).forEach(([name, value]) => { if (value) words.set(name, value); });
  if (number && guarded) words.set("guarded", "1");
  sides.forEach(side => { if (side.choices.length) words.set(side.style, side.choices.join(",")); });
  history.replaceState(null, "", "#" + words);
}
async function begin(choices = {}) {
  describe();
  says("");
  await Promise.all(sides.map(side => side.after(async () => {
    const known = side.known(), note = side.section.querySelector("p.soft");
    side.undone = []; side.words = side.words || note.textContent;
    const without = level() && side.section.dataset.without.split(" ").includes(level().guard);
    note.textContent = side.words + (level() && !known ? ` No level here${without ? ": this safeguard has no counterpart in this style" : ""}; try it all the same.` : "");
    try {
      await side.load(choices[side.style] || []);
    } catch (error) {
      await side.load([]);
      throw new Error(`this link cannot be followed, so the game starts again: ${error.message}`);
    }
  })));
}
function follow(words) {
  number = words.size ? Number(words.get("level") || 0) : game.opened;
  const wrong = words.has("level") && !game.levels[number - 1];
  if (wrong) number = game.levels.length ? 1 : 0;
  guarded = words.get("guarded") === "1";
  const off = (words.get("guards") || "").split(",").map(name => name.slice(1));
  form.querySelectorAll("[name=guard]").forEach(box => { box.checked = words.get("guards") !== "none" && !off.includes(box.value); });
  ["refused", "variant", "orders"].forEach(name => { if (words.get(name)) form[name].value = words.get(name); if (form[name].selectedIndex < 0) form[name].selectedIndex = 0; });
  const choices = Object.fromEntries(sides.map(side => [side.style, (words.get(side.style) || "").split(",").filter(Boolean)]));
  return begin(choices).then(() => { if (wrong) says("There is no such level: this is the first one.", true); });
}

// The demonstration: one request a second for each style, with the sliders as they stand then.
const COLOURS = { committed: "#1b7a45", compensated: "#3d8fcf", parked: "#c8750f", stuck: "#b3261e", wrong: "#7b2d8f", "money at risk": "#55606e" };
const MOST_POINTS = 120;
const many = {
  timer: null, seed: 1, sums: {},
  form: id("many"),
  start() { this.timer = setInterval(() => this.second(), 1000); this.label(); this.second(); },
  stop() { clearInterval(this.timer); this.timer = null; this.label(); },
  label() { id("run").textContent = this.timer ? "Stop" : "Start"; id("run").setAttribute("aria-pressed", String(Boolean(this.timer))); },
  clear() { this.sums = {}; this.draw(); },
  async second() {
    if (this.asking) return;
    this.asking = true;
    const asked = { rate: Number(this.form.rate.value), act: this.form.act.value, operation: this.form.operation.value, share: Number(this.form.share.value) / 100, seed: this.seed++ };
    const setup = { ...chosenFreely(), refused: "", orders: 1 };
    try {
      const seconds = await Promise.all(sides.map(side => ask("second", { ...asked, setup: { style: side.style, ...setup } })));
      sides.forEach((side, place) => {
        const line = this.sums[side.style] = this.sums[side.style] || [{}], last = line.at(-1), next = {};
        Object.entries({ ...seconds[place].counts, "money at risk": seconds[place].at_risk_cents / 100 }).forEach(([kind, n]) => { next[kind] = (last[kind] || 0) + n; });
        line.push(next);
        if (line.length > MOST_POINTS) line.shift();
      });
      this.draw();
    } catch (error) { this.stop(); says(`The demonstration: ${error.message}`, true); }
    this.asking = false;
  },
  draw() {
    id("charts").replaceChildren(...sides.map(side => {
      const line = this.sums[side.style] || [{}], last = line.at(-1), box = element("div", "", { className: "chart" }), list = document.createElement("ul");
      const picture = document.createElementNS(SVG, "svg");
      picture.setAttribute("viewBox", "0 0 100 100"); picture.setAttribute("preserveAspectRatio", "none"); picture.setAttribute("aria-hidden", "true");
      const kinds = Object.keys(COLOURS), top = Math.max(1, ...kinds.filter(kind => kind !== "money at risk").map(kind => last[kind] || 0));
      kinds.forEach(kind => {
        const most = kind === "money at risk" ? Math.max(1, last[kind] || 0) : top, drawn = document.createElementNS(SVG, "polyline");
        drawn.setAttribute("points", line.map((sums, at) => `${100 * at / Math.max(1, line.length - 1)},${97 - 94 * (sums[kind] || 0) / most}`).join(" "));
        drawn.setAttribute("style", `stroke: ${COLOURS[kind]}${kind === "money at risk" ? "; stroke-dasharray: 5 4" : ""}`);
        if (last[kind]) picture.append(drawn);
        const item = element("li", `${kind}: ${(last[kind] || 0).toLocaleString("en", kind === "money at risk" ? { minimumFractionDigits: 2, maximumFractionDigits: 2 } : {})}`);
        item.style.setProperty("--of", COLOURS[kind]);
        list.append(item);
      });
      box.append(element("h3", side.style), picture, list);
      return box;
    }));
  },
};
many.form.addEventListener("input", () => { id("rate-shown").textContent = many.form.rate.value; id("share-shown").textContent = many.form.share.value + " %"; });
many.form.addEventListener("submit", event => event.preventDefault());
id("run").addEventListener("click", () => (many.timer ? many.stop() : many.start()));
id("clear").addEventListener("click", () => many.clear());
many.draw();
id("level").addEventListener("change", () => { number = Number(id("level").value); guarded = false; begin(); });
id("guarded").addEventListener("click", () => { guarded = !guarded; begin(); });
form.addEventListener("change", () => begin());
form.addEventListener("submit", event => event.preventDefault());
id("share").addEventListener("click", async () => {
  const address = location.href;
  try { await navigator.clipboard.writeText(address); says("The link to this position is copied."); } catch { says(`The link to this position: ${address}`); }
});
addEventListener("hashchange", () => follow(new URLSearchParams(location.hash.slice(1))));
document.addEventListener("keydown", event => {
  if (event.altKey || event.ctrlKey || event.metaKey || ["SELECT", "INPUT"].includes(event.target.tagName)) return;
  const side = sides[active], keys = { n: () => side.next(), u: () => side.undo(), r: () => side.redo(), p: () => side.on(), a: () => side.restart(), t: () => side.time() };
  const option = side.state && /^[1-9]$/.test(event.key) && side.state.options[Number(event.key) - 1];
  if (event.key in keys) { event.preventDefault(); keys[event.key](); }
  else if (option) { event.preventDefault(); side.choose(option); }
  else if (event.key === "Enter" && !["BUTTON", "SUMMARY", "A"].includes(event.target.tagName)) { event.preventDefault(); side.next(); }
});
activate(0);
follow(link);
