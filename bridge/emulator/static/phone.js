// One phone: the list of chats with its one chat, and that chat.

import { plain } from "./markup.js";
import { Bubble, day, hour, quote } from "./bubble.js";

export class Phone {
  messages = new Map(); // sid → Bubble, in order
  days = new Map(); // name → what stands above its messages
  unread = 0;
  open = false; // the chat is on the screen
  attended = true; // somebody can see the screen
  told = false; // what the emulator knows of open and attended
  quoted = null; // Bubble
  atNewest = true; // the end of the chat is on the screen
  missed = 0; // messages that came below it
  sending = Promise.resolve(); // messages leave in the order in which they were written

  constructor({ number, name }, { post, changed }) {
    Object.assign(this, { number, name, post, changed });
    this.element = document.querySelector("#phone").content.cloneNode(true).firstElementChild;
    const $ = (this.$ = (selector) => this.element.querySelector(selector));
    this.element.setAttribute("aria-label", `${name}'s phone`);
    $(".owner").textContent = name;
    $(".number").textContent = number;
    $("textarea").setAttribute("aria-label", `Message from ${name}`);
    $(".talk").setAttribute("aria-label", `Chat on ${name}'s phone`);
    $(".expire").setAttribute("aria-label", `Close the 24-hour window of ${name}'s phone`);
    this.tab = document.createElement("button");
    this.tab.setAttribute("role", "tab");
    this.element.id = `phone${number}`;
    this.tab.setAttribute("aria-controls", this.element.id);
    this.tab.append(name, Object.assign(document.createElement("span"), { className: "unread", hidden: true }));
    this.listen();
    this.tick();
  }

  listen() {
    const { $ } = this;
    $(".row").onclick = () => this.show(true);
    $(".back").onclick = () => this.show(false);
    $(".expire").onclick = () => this.post("window", {});
    $(".cancel").onclick = () => this.quote(null);
    $(".down").onclick = () => this.toEnd("smooth");
    $(".messages").onscroll = () => this.scrolled();
    new ResizeObserver(() => this.atNewest && this.toEnd()).observe($(".messages"));
    addEventListener("resize", () => this.fit());
    $("form").onsubmit = (event) => {
      event.preventDefault();
      this.send();
    };
    const entry = $("textarea");
    entry.oninput = () => this.fit();
    entry.onkeydown = (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.send();
      } else if (event.key === "Escape") {
        this.quote(null);
      }
    };
  }

  /** update takes what is known of the phone besides its messages. */
  update({ open_for }, { business }) {
    this.ends = performance.now() + open_for;
    for (const name of this.element.querySelectorAll(".name")) name.textContent = business;
    for (const avatar of this.element.querySelectorAll(".avatar")) avatar.textContent = business[0];
    this.tick();
  }

  /** receive takes new and changed messages; fresh: these are all. */
  receive(news, fresh) {
    if (fresh) {
      this.messages.clear();
      this.days.clear();
      this.$(".messages").replaceChildren();
      this.quote(null);
    }
    if (!news.length) return;
    const atEnd = this.atEnd();
    let mine = false;
    for (const m of news) {
      const known = this.messages.get(m.sid);
      if (known) {
        known.update(m);
        continue;
      }
      const bubble = new Bubble(m, this);
      this.messages.set(m.sid, bubble);
      mine ||= m.own;
      if (!atEnd && !m.own) this.missed++;
    }
    this.arrange();
    if (atEnd || mine) this.toEnd();
    this.scrolled();
    this.summarise();
  }

  /** arrange puts the bubbles in order, with days between them, and tails on the first of a row. */
  arrange() {
    const list = this.$(".messages");
    let place = 0;
    const put = (node) => {
      if (list.children[place] !== node) list.insertBefore(node, list.children[place] ?? null);
      place++;
    };
    let last;
    for (const { m, element } of this.messages.values()) {
      if (m.state === "waiting") continue; // has not left Twilio yet
      if (!last || day(last.at) !== day(m.at)) {
        put(this.day(day(m.at)));
        last = undefined;
      }
      element.classList.toggle("first", last?.own !== m.own);
      put(element);
      last = m;
    }
  }

  day(name) {
    if (!this.days.has(name)) {
      this.days.set(name, Object.assign(document.createElement("li"), { className: "day", textContent: name }));
    }
    return this.days.get(name);
  }

  /** summarise shows in the list of chats what came last, and how much is unread. */
  summarise() {
    const { $ } = this;
    const arrived = [...this.messages.values()].map((b) => b.m).filter((m) => m.state !== "waiting" && m.state !== "failed");
    this.unread = arrived.filter((m) => !m.own && m.state !== "read").length;
    const last = arrived.at(-1);
    $(".preview").textContent = last ? (last.own ? "You: " : "") + plain(last.text) : "No messages yet";
    $(".when").textContent = last ? hour(last.at) : "";
    for (const badge of [$(".row .unread"), this.tab.querySelector(".unread")]) {
      badge.hidden = !this.unread;
      badge.textContent = this.unread;
    }
    $(".row").setAttribute("aria-label", `Open the chat on ${this.name}'s phone, ${this.unread} unread`);
    this.changed();
  }

  /** show opens or closes the chat; focus: somebody is at the keyboard. */
  show(open, focus = true) {
    this.open = open;
    this.$(".chat").hidden = !open;
    this.$(".list").hidden = open;
    this.tell();
    if (open) this.toEnd();
    if (focus) this.$(open ? "textarea" : ".row").focus({ preventScroll: true });
  }

  attend(attended) {
    this.attended = attended;
    this.tell();
  }

  /** reconnected: the emulator has forgotten which chats are open. */
  reconnected() {
    this.told = false;
    this.tell();
  }

  tell() {
    const seen = this.open && this.attended;
    if (seen === this.told) return;
    this.told = seen;
    this.post("chat", { open: seen }).then(
      () => (this.element.dataset.read = seen), // the emulator knows: what comes from now on is read, or not
      () => (this.told = !seen),
    );
  }

  quote(bubble) {
    this.quoted = bubble;
    const box = this.$(".quoting");
    box.hidden = !bubble;
    if (bubble) {
      quote(box, bubble.m, this);
      this.$("textarea").focus({ preventScroll: true });
    }
  }

  send() {
    const entry = this.$("textarea");
    const text = entry.value.trim();
    if (!text) return;
    this.later("messages", { text, quoted: this.quoted?.m.sid });
    entry.value = "";
    this.fit();
    this.quote(null);
  }

  tap(bubble, payload) {
    this.later("messages", { quoted: bubble.m.sid, button: payload });
  }

  later(path, body) {
    this.sending = this.sending.then(() => this.post(path, body)).catch((error) => console.error(error));
  }

  fit() {
    const entry = this.$("textarea");
    entry.style.height = "auto";
    entry.style.height = `${Math.min(entry.scrollHeight, 120)}px`;
  }

  /** go scrolls to a message that is quoted elsewhere. */
  go(sid) {
    const target = this.messages.get(sid)?.element;
    target?.scrollIntoView({ block: "center", behavior: "smooth" });
    target?.animate([{ backgroundColor: "var(--flash)" }, { backgroundColor: "transparent" }], { duration: 1400 });
  }

  atEnd() {
    const list = this.$(".messages");
    return list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  }

  toEnd(behavior = "instant") {
    const list = this.$(".messages");
    list.scrollTo({ top: list.scrollHeight, behavior });
  }

  scrolled() {
    const end = (this.atNewest = this.atEnd());
    if (end) this.missed = 0;
    const down = this.$(".down");
    down.hidden = end;
    down.querySelector("span").textContent = this.missed || "";
  }

  /** tick shows the time, and how long the window is still open. */
  tick() {
    const { $ } = this;
    const left = Math.max(0, (this.ends ?? 0) - performance.now());
    const minutes = Math.ceil(left / 60000);
    const clock = `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
    $(".clock").textContent = hour(Date.now());
    $(".presence").textContent = left ? "online" : "waits for you to write";
    $(".left").classList.toggle("closed", !left);
    $(".left span").textContent = left ? clock : "closed";
    $(".left").setAttribute("aria-label", left ? `The 24-hour window is open for ${clock} hours` : "The 24-hour window is closed");
    $(".window").textContent = left
      ? `Free replies for another ${clock} h.`
      : "Closed: only a template arrives until this phone writes.";
    $(".expire").disabled = !left;
  }
}
