// The stage: everybody side by side, the story above them, the phones beside them.

import { connect } from "/static/phones.js";
import "/static/theme.js";
import { element } from "./html.js";
import { Person } from "./person.js";
import { button } from "./post.js";
import { Story } from "./story.js";

const people = new Map(); // name → Person
const phones = new Map(); // name → Phone
const main = document.querySelector(".people");
const dock = document.querySelector(".dock");
const faces = document.querySelector(".faces");
const hands = document.querySelector(".hands");
const narrow = matchMedia("(max-width: 760px)");
const wide = matchMedia("(min-width: 1900px)");
let world;
let selected = ""; // who is shown where there is no room for all
let held = ""; // whose phone is
let turning; // the timer of the story's next turn

// The story's stream of events.
const stream = new EventSource("/stage/scene");
stream.onopen = () => (document.querySelector(".offline").hidden = true);
stream.onerror = () => (document.querySelector(".offline").hidden = false);
stream.onmessage = (event) => {
  const scene = JSON.parse(event.data);
  if (scene.world && scene.world.people[0].token !== world?.people[0].token) begin(scene.world);
  story.show(scene);
};

const story = new Story({ act, follow, ideas });

async function act(what) {
  await fetch("/stage/story", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ do: what }) });
}

/** begin brings everybody onto the stage. */
function begin(now) {
  if (world) return location.reload(); // another demo runs at this address
  world = now;
  for (const self of world.people) {
    const person = new Person(self, world, { changed, tone, projects });
    people.set(self.name, person);
    dock.before(person.element);
    tab(self.name, self.title, person.element.id);
  }
  clients();
  connect(dock, { changed: count, made: (phone) => take(phone) });
  select(world.people[0].name);
}

function take(phone) {
  const name = phone.name.toLowerCase();
  phones.set(name, phone);
  phone.show(true, false);
  tab(name, phone.name, phone.element.id);
  phone.tab.onclick = () => hold(name);
  hands.append(phone.tab);
  if (!held) hold(name);
  attend();
}

/** tab makes the face with which somebody is chosen on a narrow page. */
function tab(name, title, controls) {
  const face = button(title, title, () => pick(name));
  face.removeAttribute("aria-label");
  face.setAttribute("role", "tab");
  face.setAttribute("aria-controls", controls);
  face.dataset.name = name;
  face.dataset.tone = phones.has(name) ? "agent" : name;
  face.append(element("span", "unread"));
  faces.append(face);
  mark();
}

/** pick is what whoever watches chooses: the story does not take them elsewhere a moment later. */
function pick(name) {
  clearTimeout(turning);
  select(name);
}

function select(name) {
  selected = name;
  if (phones.has(name)) hold(name);
  mark();
}

function hold(name) {
  held = name;
  mark();
}

function mark() {
  for (const face of faces.children) choose(face, face.dataset.name === selected);
  for (const [name, person] of people) person.element.classList.toggle("selected", name === selected);
  dock.classList.toggle("selected", phones.has(selected));
  for (const [name, phone] of phones) {
    phone.element.classList.toggle("selected", name === held);
    choose(phone.tab, name === held);
  }
  attend();
}

function choose(face, chosen) {
  face.setAttribute("aria-selected", chosen);
  face.tabIndex = chosen ? 0 : -1;
  if (chosen && narrow.matches && face.parentElement === faces) face.scrollIntoView({ inline: "center", block: "nearest" });
}

for (const tabs of [faces, hands]) {
  tabs.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const all = [...tabs.children];
    if (!step || !all.includes(event.target)) return;
    const next = all[(all.indexOf(event.target) + step + all.length) % all.length];
    next.click();
    next.focus();
  };
}

// What nobody can see is not read.
function attend() {
  for (const [name, person] of people) person.attend(!document.hidden && (!narrow.matches || name === selected));
  for (const [name, phone] of phones) {
    phone.attend(!document.hidden && (narrow.matches ? name === selected : wide.matches || name === held));
  }
}
document.addEventListener("visibilitychange", attend);
narrow.addEventListener("change", attend);
wide.addEventListener("change", attend);

/** follow turns somebody to where the story is; first: they act in this step. */
function follow(who, at, first) {
  if (first) clearTimeout(turning);
  people.get(who)?.follow(at);
  const show = () => {
    if (phones.has(who)) hold(who);
    if (narrow.matches && !document.activeElement?.matches("textarea")) select(who);
  };
  for (const [name, { element }] of [...people, ...phones]) if (first) element.classList.toggle("acting", name === who);
  if (first) show();
  else {
    clearTimeout(turning);
    turning = setTimeout(show, narrow.matches ? 1200 : 0);
  }
}

let drawing = false;
function changed() {
  if (drawing) return;
  drawing = true;
  queueMicrotask(() => {
    drawing = false;
    for (const person of people.values()) person.list();
    count();
  });
}

/** count shows how much is unread. */
function count() {
  let all = 0;
  for (const face of faces.children) {
    const unread = (people.get(face.dataset.name) ?? phones.get(face.dataset.name))?.unread ?? 0;
    const badge = face.querySelector(".unread");
    badge.hidden = !unread;
    badge.textContent = unread;
    all += unread;
  }
  document.title = all ? `(${all}) Lanekeeper: everybody at once` : "Lanekeeper: everybody at once";
}

/** projects are those that anybody is in, the newest first: with the lanes, and how much is said in each. */
function projects() {
  const found = new Map();
  for (const person of people.values()) {
    for (const room of person.rooms.values()) {
      if (!room.lane.project || room.membership === "leave") continue;
      const project = found.get(room.lane.project) ?? { id: room.lane.project, name: "Project", lanes: new Map(), counts: new Map(), since: Infinity };
      found.set(project.id, project);
      if (room.name.includes(" · ")) project.name = room.name.split(" · ").slice(1).join(" · ");
      if (room.kind === "space") project.space = room.id;
      else project.lanes.set(room.kind, room.id);
      const said = room.posts.filter((e) => e.type === "m.room.message").length;
      project.counts.set(room.kind, Math.max(project.counts.get(room.kind) ?? 0, said));
      const made = room.state.get("m.room.create|")?.origin_server_ts ?? Infinity;
      project.since = Math.min(project.since, made);
    }
  }
  return [...found.values()].sort((a, b) => b.since - a.since);
}

/** tone is the colour of somebody's name. */
function tone(id) {
  if (id === world.bot) return "bot";
  return people.get(/^@([^:]*)/.exec(id)?.[1])?.name ?? "agent";
}

/** ideas begin something that whoever watches can go on with. */
function ideas() {
  const idea = (label, who, kind, words) =>
    button(label, label, () => {
      const person = people.get(who);
      const room = projects()[0]?.lanes.get(kind) ?? [...person.rooms.values()].find((r) => r.kind === kind && r.membership === "join")?.id;
      pick(who);
      if (!room || !person.show(room)) return;
      const entry = person.element.querySelector("textarea");
      entry.value = words;
      entry.focus();
    });
  return [
    idea("Carl asks for a person", "carl", "customer", "!lane human Can I see a first draft?"),
    idea("Mia asks who can do what", "mia", "internal", "!lane who"),
    idea("Root reads the help", "root", "direct", "help"),
  ];
}

/** clients says how to sign in elsewhere. */
function clients() {
  const dialog = document.querySelector(".clients");
  dialog.querySelector(".homeserver").textContent = world.homeserver;
  dialog.querySelector(".whole").textContent = world.people[0].id;
  for (const { name, password, what } of world.people) {
    const cells = [element("code", "", name), element("code", "", password), what].map((c) => element("td", "", c));
    dialog.querySelector("tbody").append(element("tr", "", ...cells));
  }
  document.querySelector(".keys").onclick = () => dialog.showModal();
}
