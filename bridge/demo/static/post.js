// One message: who said it, what, what others put on it, and the thread below it.

import { element, short, words } from "./html.js";
import * as picture from "./picture.js";

export const quick = ["🙋", "✋", "✅", "❌"];

export class Post {
  version = "";
  thread = new Map(); // event id → Post

  constructor(event, view) {
    Object.assign(this, { event, view });
    this.element = document.querySelector("#post").content.cloneNode(true).firstElementChild;
    this.element.dataset.event = event.event_id;
    this.element.tabIndex = -1;
    const $ = (this.$ = (selector) => this.element.querySelector(`:scope > ${selector}`));
    $("article .by time").textContent = clock.format(event.origin_server_ts);
    $("article .by time").dateTime = new Date(event.origin_server_ts).toISOString();
    $("article .answered").onclick = () => view.flash(view.room.answered(event)?.event_id);
    $(".thread > .more").onclick = () => view.aim({ thread: event });
    for (const key of quick) {
      $(".acts").append(button(key, `React with ${key}`, () => view.react(event, key)));
    }
    if (view.room.thread(event) === undefined) {
      $(".acts").append(button(sign("thread"), "Answer in a thread", () => view.aim({ thread: event })));
    }
    $(".acts").append(button(sign("reply"), "Reply", () => view.aim({ reply: event })));
  }

  /** update shows the message as it is now. first: the one before it is somebody else's. */
  update(first) {
    const { event, view } = this;
    const { room } = view;
    const content = room.content(event);
    const reactions = room.reactions.get(event.event_id) ?? new Map();
    const answered = room.answered(event);
    const drawn = [event.sender, ...(answered ? [answered.sender] : [])].map((id) => room.called(id));
    const version = JSON.stringify([first, content, drawn, [...reactions].map(([key, senders]) => [key, [...senders]]), view.writes]);
    if (version === this.version) return;
    this.version = version;
    const $ = this.$;
    this.element.classList.toggle("first", first);
    this.element.classList.toggle("own", event.sender === room.me);
    this.element.classList.toggle("gone", !content);
    this.element.classList.toggle("notice", content?.msgtype === "m.notice");
    this.element.dataset.by = view.tone(event.sender);
    this.element.dataset.card = (content?.["lanekeeper.request"] ?? content?.["lanekeeper.handoff"])?.state ?? "";
    $("article .by strong").textContent = room.called(event.sender);
    $("article .answered").hidden = !answered || !content;
    if (answered) {
      $("article .answered strong").textContent = room.called(answered.sender);
      $("article .answered span").textContent = short(room.content(answered)) || "deleted";
    }
    $("article .says").replaceChildren(...this.says(content));
    if (content && room.edits.has(event.event_id) && !this.element.dataset.card) {
      $("article .says").append(element("small", "edited", " (edited)"));
    }
    this.react(reactions);
    $(".acts").hidden = !content || !view.writes;
    $(".thread > .more").hidden = !view.writes;
  }

  says(content) {
    const { event, view } = this;
    if (event.type === "m.room.encrypted") return ["Encrypted: it can be read in a client of one’s own."];
    if (!content) return [view.room.gone(event)];
    if (content.msgtype === "m.image" && content.url) return [this.picture(content)];
    if (content.url) {
      const file = element("button", "keep", "📎 ", short(content) || "file");
      file.type = "button";
      file.onclick = () => picture.save(view.connection, content.url, short(content)).catch((error) => view.refuse(error));
      return [file];
    }
    const stripped = this.view.room.answered(event) ? { ...content, body: String(content.body).replace(/^(>.*\n)+\n?/, "") } : content;
    const { person } = view;
    return words(stripped, {
      name: (id) => person.called(id, view.room),
      room: (id) => person.rooms.get(id)?.name ?? "a room",
      open: (id) => person.show(id),
    });
  }

  picture({ url, body, info }) {
    const image = document.createElement("img");
    image.alt = String(body ?? "picture");
    if (info?.w > 0 && info?.h > 0) Object.assign(image, { width: info.w, height: info.h });
    picture.load(this.view.connection, url).then(
      (address) => (address ? (image.src = address) : image.replaceWith("A file that is not shown here.")),
      () => image.replaceWith("This picture could not be loaded."),
    );
    return image;
  }

  /** react shows the reactions: a tap adds one's own, or takes it back. */
  react(reactions) {
    const { room } = this.view;
    const box = this.$("article .reactions");
    const focused = box.contains(document.activeElement) && document.activeElement.dataset.key;
    box.replaceChildren(
      ...[...reactions].map(([key, senders]) => {
        const names = [...senders.keys()].map((id) => room.called(id)).join(", ");
        const chip = button(key, `${key} by ${names}`, () => this.view.react(this.event, key));
        chip.append(element("span", "", String(senders.size)));
        chip.title = names;
        chip.setAttribute("aria-pressed", senders.has(room.me));
        chip.dataset.key = key;
        return chip;
      }),
    );
    if (focused) (box.querySelector(`[data-key="${CSS.escape(focused)}"]`) ?? this.element).focus();
  }

  /** threaded puts the thread's messages below. */
  threaded(events, make) {
    const box = this.$(".thread");
    box.hidden = !events.length;
    box.querySelector("summary").textContent = events.length === 1 ? "Thread · 1 answer" : `Thread · ${events.length} answers`;
    arrange(box.querySelector("ol"), events, this.thread, make);
  }
}

/** arrange puts posts in order into a list, and updates them. */
export function arrange(list, events, posts, make) {
  const there = new Set(events.map((event) => posts.get(event.event_id)?.element));
  for (const child of [...list.children]) if (!there.has(child)) child.remove(); // first: what is moved loses the focus
  let last;
  events.forEach((event, i) => {
    let post = posts.get(event.event_id);
    if (!post) posts.set(event.event_id, (post = make(event)));
    const near = last?.sender === event.sender && event.origin_server_ts - last.origin_server_ts < 300000 && last.type === event.type;
    post.update(!near, event);
    last = event;
    if (list.children[i] !== post.element) list.insertBefore(post.element, list.children[i] ?? null);
  });
}

/** sign is one of our drawings. */
export function sign(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

export function button(inside, label, act) {
  const made = element("button", "", inside);
  made.type = "button";
  made.ariaLabel = label;
  made.onclick = act;
  return made;
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
