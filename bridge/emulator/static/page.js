// The page: one phone for each agent, kept up to date by the emulator's stream of
// events.

import { Phone } from "./phone.js";

const phones = new Map(); // number → Phone
const main = document.querySelector(".phones");
const tabs = document.querySelector(".tabs");
let page = ""; // this stream's name at the emulator

const stream = new EventSource("/events");
stream.onmessage = (event) => {
  const news = JSON.parse(event.data);
  if (news.page !== page) {
    page = news.page;
    for (const phone of phones.values()) phone.reconnected();
  }
  for (const p of news.phones) phone(p).update(p, news);
  for (const p of phones.values()) {
    p.receive(news.messages.filter((m) => m.phone === p.number), news.fresh);
  }
  count();
};
stream.onopen = () => (document.querySelector(".offline").hidden = true);
stream.onerror = () => (document.querySelector(".offline").hidden = false);

function phone(p) {
  if (phones.has(p.number)) return phones.get(p.number);
  const made = new Phone(p, { post: (path, body) => post(p.number, path, body), changed: count });
  phones.set(p.number, made);
  main.append(made.element);
  tabs.append(made.tab);
  made.tab.onclick = () => select(made);
  if (phones.size === 1) select(made);
  return made;
}

/** post tells the emulator what somebody does on a phone. */
async function post(number, path, body) {
  const answer = await fetch(`/phones/${encodeURIComponent(number)}/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...body, page }),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
}

/** select shows one phone where there is no room for all of them. */
function select(chosen) {
  for (const p of phones.values()) {
    p.element.classList.toggle("selected", p === chosen);
    p.tab.setAttribute("aria-selected", p === chosen);
    p.tab.tabIndex = p === chosen ? 0 : -1;
  }
  attend();
}

tabs.onkeydown = (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const all = [...phones.values()];
  const next = all[(all.findIndex((p) => p.tab === event.target) + step + all.length) % all.length];
  select(next);
  next.tab.focus();
};

// A chat that nobody can see is not read.
const narrow = matchMedia("(max-width: 760px)");
function attend() {
  for (const p of phones.values()) {
    p.attend(!document.hidden && (!narrow.matches || p.element.classList.contains("selected")));
  }
}
document.addEventListener("visibilitychange", attend);
narrow.addEventListener("change", attend);

/** count shows in the title how much is unread. */
function count() {
  let unread = 0;
  for (const p of phones.values()) unread += p.unread;
  document.title = unread ? `(${unread}) Phones` : "Phones";
}

setInterval(() => phones.forEach((p) => p.tick()), 1000);

// Light or dark as the system is, until somebody chooses here.
const root = document.documentElement;
if (localStorage.theme) root.dataset.theme = localStorage.theme;
document.querySelector(".theme").onclick = () => {
  const now = root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  root.dataset.theme = localStorage.theme = now === "dark" ? "light" : "dark";
};
