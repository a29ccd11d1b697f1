// One message as a bubble.

import { plain, render } from "./markup.js";

export class Bubble {
  constructor(m, phone) {
    this.phone = phone;
    this.element = document.querySelector("#message").content.cloneNode(true).firstElementChild;
    this.element.classList.add(m.own ? "own" : "theirs");
    this.element.querySelector(".reply").onclick = () => phone.quote(this);
    this.touch(this.element.querySelector(".bubble"));
    this.fill(m);
    this.update(m);
  }

  /** fill puts in what never changes. */
  fill(m) {
    const $ = (selector) => this.element.querySelector(selector);
    render($(".text"), m.text || (m.files ? "" : " "));
    for (const file of m.files ?? []) {
      $(".text").prepend(Object.assign(document.createElement("div"), { className: "file", textContent: file }));
    }
    $("time").textContent = hour(m.at);
    $("time").dateTime = new Date(m.at).toISOString();
    const quoted = this.phone.messages.get(m.quoted);
    if (quoted) {
      quote($(".bubble"), quoted.m, this.phone);
      $(".quote").hidden = false;
      $(".quote").onclick = (event) => {
        event.stopPropagation();
        this.phone.go(m.quoted);
      };
    }
    for (const { title, payload } of m.buttons ?? []) {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "tap", textContent: title });
      button.dataset.payload = payload;
      button.onclick = () => this.phone.tap(this, payload);
      this.element.append(button);
    }
  }

  /** file shows what came with the message: a picture, or anything else by its name. */
  file(m) {
    this.got = true;
    const link = Object.assign(document.createElement("a"), { href: `received/${m.sid}`, target: "_blank", className: "file", textContent: m.got.name || "file" });
    if (m.got.image) link.replaceChildren(Object.assign(document.createElement("img"), { src: link.href, alt: m.got.name }));
    const text = this.element.querySelector(".text");
    if (!m.got.image) text.replaceChildren(); // its words are dropped
    text.prepend(link);
  }

  /** update shows how far the message has come. */
  update(m) {
    this.m = m;
    if (m.got && !this.got) this.file(m);
    const ticks = this.element.querySelector(".ticks");
    const [drawing, label] = states[m.state] ?? states.sent;
    ticks.hidden = !m.own && m.state !== "failed"; // what one gets has no ticks
    ticks.className = `ticks ${m.state}`;
    ticks.innerHTML = drawing; // ours, below
    ticks.ariaLabel = ticks.title = label;
    this.element.classList.toggle("failed", m.state === "failed");
    const reason = this.element.querySelector(".reason");
    reason.hidden = !m.reason;
    reason.textContent = m.reason ?? "";
  }

  /** touch quotes the message: by a click beside what is clicked for itself, or by a swipe. */
  touch(bubble) {
    bubble.onclick = (event) => {
      if (event.target.closest("a, button") || !getSelection().isCollapsed) return;
      this.phone.quote(this);
    };
    let from; // where the finger came down
    let far = 0; // how far to the right it is
    const move = (pixels) => {
      far = Math.max(0, Math.min(72, pixels));
      bubble.style.translate = far ? `${far}px` : "";
    };
    const on = (type, act) => bubble.addEventListener(type, act, { passive: true });
    on("touchstart", ({ touches: [touch] }) => (from = touch.clientX));
    on("touchmove", ({ touches: [touch] }) => move(touch.clientX - from - 8));
    on("touchcancel", () => move(0)); // the list is scrolled
    on("touchend", () => {
      if (far > 48) this.phone.quote(this);
      move(0);
    });
  }
}

/** quote fills a box with who said what. */
export function quote(box, m, phone) {
  const bar = box.querySelector(".quote");
  bar.classList.toggle("mine", m.own);
  bar.querySelector("strong").textContent = m.own ? "You" : phone.$(".name").textContent;
  bar.querySelector("span").textContent = plain(m.text);
}

const check = "m1.5 6.6 3.3 3.3L11.6 2";
const second = "m7.3 9.4.6.6 7-8";
const svg = (...paths) => `<svg viewBox="0 0 16 12" aria-hidden="true">${paths.map((d) => `<path d="${d}"/>`).join("")}</svg>`;
const states = {
  sent: [svg(check), "sent"],
  delivered: [svg(check, second), "delivered"],
  read: [svg(check, second), "read"],
  failed: [`<svg viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="6.4"/><path d="M8 4.4v4.4m0 2.1v.4"/></svg>`, "failed"],
};

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });

/** hour is the time of day of Unix milliseconds. */
export const hour = (ms) => clock.format(ms);

/** day is what stands between the messages of two days. */
export function day(ms) {
  const text = date.format(ms);
  if (text === date.format(Date.now())) return "Today";
  return text === date.format(Date.now() - 86400000) ? "Yesterday" : text;
}
