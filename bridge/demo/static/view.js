// One room as one person sees it: its messages, and the line to write in.

import { element, short } from "./html.js";
import * as picture from "./picture.js";
import { arrange, Post } from "./post.js";

export class View {
  posts = new Map(); // event id → Post
  aimed = {}; // thread or reply: the message that is answered
  wanted = ""; // event id that is to be shown when it comes
  tapped = new Set(); // reactions that are on their way
  sending = Promise.resolve(); // messages leave in the order in which they were written

  constructor(person, element) {
    Object.assign(this, { person, element });
    const $ = (this.$ = (selector) => element.querySelector(selector));
    $(".composer").onsubmit = (event) => {
      event.preventDefault();
      this.send();
    };
    $("textarea").setAttribute("aria-label", `Message from ${person.title}`);
    $("textarea").oninput = () => this.fit();
    $("textarea").onkeydown = (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.send();
      } else if (event.key === "Escape") {
        this.aim({});
      }
    };
    $(".to button").onclick = () => this.aim({});
    $(".clip input").onchange = ({ target }) => {
      const [file] = target.files;
      if (file) this.later(async (room, relation) => this.connection.send(room, "m.room.message", { ...(await picture.send(this.connection, file)), ...relation }));
      target.value = "";
    };
    $(".posts").onkeydown = (event) => this.walk(event);
    $(".posts").onscroll = () => (this.atEnd = this.near());
    new ResizeObserver(() => this.atEnd && this.toEnd()).observe($(".posts"));
  }

  get connection() {
    return this.person.connection;
  }

  get writes() {
    return this.room.membership === "join" && this.room.writes;
  }

  tone(id) {
    return this.person.tone(id);
  }

  /** show turns to a room. */
  show(room) {
    if (this.room === room) return;
    this.room = room;
    this.posts.clear();
    this.$(".posts").replaceChildren();
    this.aim({}, false);
    this.refuse();
    this.atEnd = true;
    this.version = undefined;
    this.update();
  }

  /** update shows the room as it is now. */
  update() {
    const { room, $ } = this;
    if (!room || this.version === room.version) return;
    this.version = room.version;
    const stay = this.atEnd ?? true;
    $("h3").textContent = room.name;
    $(".readers").textContent = this.readers();
    $(".topic").hidden = !room.topic;
    $(".topic").textContent = $(".topic").title = room.topic;
    const { main, threads } = sort(room);
    const make = (event) => (event.passages ? new Passage(event, this) : new Post(event, this));
    arrange($(".posts"), main, this.posts, make);
    for (const event of main) this.posts.get(event.event_id).threaded?.(threads.get(event.event_id) ?? [], make);
    $(".composer").hidden = !this.writes;
    $(".silent").hidden = this.writes;
    $(".silent").textContent =
      room.membership === "join" ? `${this.person.title} can read here, not write.` : `${this.person.title} is not in this room any more.`;
    this.tab();
    if (stay) this.toEnd();
    if (this.wanted && room.byID.has(this.wanted)) this.flash(this.wanted);
  }

  readers() {
    const { room } = this;
    const names = room.members("join").filter((id) => id !== this.person.bot).map((id) => (id === room.me ? this.person.title : room.called(id)));
    return `Read by ${names.length > 1 ? list(names) : `${names[0] ?? "nobody"} alone`}`;
  }

  /** flash shows where a message is, now or when it comes. */
  flash(id) {
    this.wanted = "";
    const target = id && this.element.querySelector(`[data-event="${CSS.escape(id)}"]`);
    if (!target) {
      this.wanted = id ?? "";
      return;
    }
    target.closest("details")?.setAttribute("open", "");
    const article = target.querySelector("article") ?? target;
    const list = this.$(".posts");
    const { top, bottom } = article.getBoundingClientRect();
    const frame = list.getBoundingClientRect();
    if (top < frame.top || bottom > frame.bottom) list.scrollTop += (top + bottom) / 2 - (frame.top + frame.bottom) / 2;
    article.animate([{ backgroundColor: "var(--flash)" }, { backgroundColor: "transparent" }], { duration: 1600 });
  }

  /** aim says what the next message answers. */
  aim(to, focus = true) {
    this.aimed = to;
    const answered = to.thread ?? to.reply;
    this.$(".to").hidden = !answered;
    if (answered) {
      const words = short(this.room.content(answered));
      this.$(".to span").replaceChildren(element("strong", "", to.thread ? "In the thread of " : "Reply to "), words);
    }
    if (focus) this.$("textarea").focus({ preventScroll: true });
  }

  relation() {
    const { thread, reply } = this.aimed;
    if (!thread && !reply) return {};
    const answer = { "m.in_reply_to": { event_id: (thread ?? reply).event_id } };
    const root = thread?.event_id ?? this.room.thread(reply);
    const related = root ? { rel_type: "m.thread", event_id: root, is_falling_back: !!thread, ...answer } : answer;
    const mentioned = (thread ?? reply).sender;
    return { "m.relates_to": related, "m.mentions": mentioned === this.room.me || thread ? {} : { user_ids: [mentioned] } };
  }

  send() {
    const entry = this.$("textarea");
    const body = entry.value.trim();
    if (!body) return;
    entry.value = "";
    this.fit();
    this.atEnd = true;
    this.later((room, relation) => this.connection.send(room, "m.room.message", { msgtype: "m.text", body, ...relation }), () => (entry.value ||= body));
  }

  /** later sends something, to what is answered now, after all that was sent before. */
  later(act, lost = () => {}) {
    const room = this.room.id;
    const relation = this.relation();
    if (!this.aimed.thread) this.aim({});
    this.refuse();
    this.sending = this.sending
      .then(() => act(room, relation))
      .catch((error) => {
        lost();
        this.refuse(error);
      });
  }

  /** react puts a reaction on a message, or takes one's own back. A tap before the last one was answered does nothing. */
  async react(event, key) {
    const { room } = this;
    const tap = `${event.event_id} ${key}`;
    if (this.tapped.has(tap)) return;
    this.tapped.add(tap);
    this.refuse();
    const relation = { rel_type: "m.annotation", event_id: event.event_id, key };
    const mine = room.reactions.get(event.event_id)?.get(key)?.get(room.me);
    try {
      if (mine) {
        await this.connection.redact(room.id, mine);
        room.redact(mine);
      } else {
        room.react({ event_id: await this.connection.send(room.id, "m.reaction", { "m.relates_to": relation }), sender: room.me }, relation);
      }
      room.version++;
      this.update();
    } catch (error) {
      this.refuse(error);
    } finally {
      this.tapped.delete(tap);
    }
  }

  /** refuse says why something was not done; without an error it stops saying so. */
  refuse(error) {
    this.$(".refused").hidden = !error;
    this.$(".refused").textContent = error ? `Not done: ${error.message}` : "";
  }

  fit() {
    const entry = this.$("textarea");
    entry.style.height = "auto";
    entry.style.height = `${Math.min(entry.scrollHeight, 110)}px`;
  }

  near() {
    const list = this.$(".posts");
    return list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  }

  toEnd() {
    this.$(".posts").scrollTop = this.$(".posts").scrollHeight;
  }

  /** tab lets the keyboard reach one message, from which arrows go on. */
  tab() {
    const all = [...this.element.querySelectorAll(".post")];
    if (!all.some((e) => e.tabIndex === 0) && all.length) all.at(-1).tabIndex = 0;
  }

  walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    const at = event.target.closest(".post");
    if (!step || !at || event.target.matches("textarea")) return;
    event.preventDefault();
    const all = [...this.element.querySelectorAll(".post")].filter((e) => e.checkVisibility());
    const next = all[Math.max(0, Math.min(all.length - 1, all.indexOf(at) + step))];
    for (const e of all) e.tabIndex = e === next ? 0 : -1;
    next.focus();
  }
}

// sort takes threads out of the row of messages. Comings and goings in a row are one line.
function sort(room) {
  const main = [];
  const threads = new Map();
  for (const event of room.posts) {
    const root = room.thread(event);
    if (root !== undefined) threads.set(root, [...(threads.get(root) ?? []), event]);
    else if (event.type !== "m.room.member") main.push(event);
    else if (main.at(-1)?.passages) main.at(-1).passages.push(event);
    else main.push({ ...event, passages: [event] });
  }
  return { main, threads };
}

const verbs = { join: "joined", invite: "invited", left: "left", leave: "removed", ban: "banned", knock: "asking to join" };

/** Passage is who came and went, between two messages. */
class Passage {
  constructor(event, view) {
    this.element = element("li", "passage");
    this.view = view;
    this.event = event;
  }

  update(_, { passages }) {
    const { room } = this.view;
    const last = new Map(); // who → what they did last: who was invited and came has come
    for (const { state_key, sender, content } of passages) {
      const left = content.membership === "leave" && sender === state_key;
      const why = content.membership !== "invite" && content.reason ? ` (${content.reason})` : "";
      last.set(content.displayname || room.called(state_key), (left ? verbs.left : verbs[content.membership] ?? "changed") + why);
    }
    const by = new Map();
    for (const [name, verb] of last) by.set(verb, [...(by.get(verb) ?? []), name]);
    const texts = [...by].map(([verb, names]) => `${list(names)} ${verb}`);
    this.element.textContent = texts.join(" · ");
  }
}

/** list is names as a sentence has them. */
function list(names) {
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names[0];
}
