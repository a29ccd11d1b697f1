// The page of the phones alone: side by side, or one at a time.

import { connect } from "./phones.js";
import "./theme.js";

const phones = [];
const tabs = document.querySelector(".tabs");

connect(document.querySelector(".phones"), {
  changed: count,
  offline: (lost) => (document.querySelector(".offline").hidden = !lost),
  made: (phone) => {
    phones.push(phone);
    tabs.append(phone.tab);
    phone.tab.onclick = () => select(phone);
    if (phones.length === 1) select(phone);
  },
});

/** select shows one phone where there is no room for all of them. */
function select(chosen) {
  for (const p of phones) {
    p.element.classList.toggle("selected", p === chosen);
    p.tab.setAttribute("aria-selected", p === chosen);
    p.tab.tabIndex = p === chosen ? 0 : -1;
  }
  attend();
}

tabs.onkeydown = (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const next = phones[(phones.findIndex((p) => p.tab === event.target) + step + phones.length) % phones.length];
  select(next);
  next.tab.focus();
};

// A chat that nobody can see is not read.
const narrow = matchMedia("(max-width: 760px)");
function attend() {
  for (const p of phones) p.attend(!document.hidden && (!narrow.matches || p.element.classList.contains("selected")));
}
document.addEventListener("visibilitychange", attend);
narrow.addEventListener("change", attend);

/** count shows in the title how much is unread. */
function count() {
  const unread = phones.reduce((sum, p) => sum + p.unread, 0);
  document.title = unread ? `(${unread}) Phones` : "Phones";
}
