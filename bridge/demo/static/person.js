// One person: their rooms, and the one that they look at. All of it comes from
// their own connection, save what they are not in: that the page knows from
// others, and draws as absent.

import { Connection } from "./api.js";
import { element } from "./html.js";
import * as picture from "./picture.js";
import { button, sign } from "./post.js";
import { Room } from "./room.js";
import { View } from "./view.js";

const lanes = ["customer", "internal", "notes"];
const order = ["customer", "internal", "notes", "super_admin", "direct", "other"];
const titles = { customer: "Customer", internal: "Internal", notes: "Notes", space: "Project", direct: "Lanekeeper", super_admin: "Super-admins" };

export class Person {
  rooms = new Map(); // id → Room
  attended = true; // somebody can see this person
  followed = ""; // the story has turned this person to that room

  constructor(self, world, { changed, tone, projects }) {
    Object.assign(this, self, { bot: world.bot, changed, tone, projects });
    this.connection = new Connection(self, world);
    this.element = document.querySelector("#person").content.cloneNode(true).firstElementChild;
    this.element.id = `person-${this.name}`;
    this.element.dataset.tone = this.name;
    this.element.setAttribute("aria-label", `${this.title}, ${this.what}`);
    const $ = (this.$ = (selector) => this.element.querySelector(selector));
    $(".face").textContent = this.title[0];
    $("h2").textContent = this.title;
    $(".what").textContent = this.what;
    $(".rooms").setAttribute("aria-label", `Rooms of ${this.title}`);
    this.view = new View(this, $(".room"));
    $(".room").hidden = true;
    this.connection.sync(
      (answer) => this.take(answer),
      (lost) => ($(".lost").hidden = !lost),
    );
  }

  take({ rooms = {} }) {
    for (const membership of ["join", "invite", "leave"]) {
      for (const [id, news] of Object.entries(rooms[membership] ?? {})) {
        if (!this.rooms.has(id)) this.rooms.set(id, new Room(id, this.id));
        this.rooms.get(id).take(membership, news);
      }
    }
    this.view.update();
    if (this.followed) this.show(this.followed);
    if (!this.view.room) {
      const first = [...this.rooms.values()].find((r) => r.membership === "join" && r.kind !== "space");
      const { followed } = this; // it may still come
      if (first) this.show(first.id);
      this.followed = followed;
    }
    this.read();
    this.changed(this);
  }

  /** show turns to a room. */
  show(id, { event } = {}) {
    const room = this.rooms.get(id);
    if (room?.membership !== "join" || room.kind === "space") return false;
    this.followed = "";
    this.$(".room").hidden = false;
    this.$(".room").dataset.kind = room.kind;
    this.view.show(room);
    this.$(".room .sign").replaceChildren(badge(room.kind, room, this.connection));
    if (event) this.view.flash(event);
    this.read();
    this.changed(this);
    return true;
  }

  /** follow turns to where the story is, unless this person is writing. */
  follow({ room, event }) {
    if (this.busy && this.view.room?.id !== room) return;
    if (!this.show(room, { event })) {
      this.followed = room;
      this.view.wanted = event ?? "";
    }
  }

  get busy() {
    return !!this.element.querySelector("textarea").value;
  }

  attend(attended) {
    this.attended = attended;
    this.read();
  }

  /** read tells the homeserver how far this person has read. */
  read() {
    const { room } = this.view;
    const last = room?.posts.at(-1);
    if (!this.attended || document.hidden || !last || !room.unread || room.membership !== "join") return;
    room.readUpTo = last.event_id;
    this.connection.read(room.id, last.event_id).catch((error) => console.warn(error));
  }

  get unread() {
    let count = 0;
    for (const room of this.rooms.values()) count += room.membership === "invite" ? 1 : room.membership === "join" ? room.unread : 0;
    return count;
  }

  /** called is what a user is called in a room, or in another one of this person's, as clients look it up. */
  called(id, room) {
    return room.known(id) || [...this.rooms.values()].map((r) => r.known(id)).find(Boolean) || room.called(id);
  }

  /** list shows the rooms: the newest project first, with what this person is not in. */
  list() {
    const mine = [...this.rooms.values()].filter((r) => r.membership !== "leave");
    const groups = [];
    this.projects().forEach((project, i) => {
      const rows = lanes.filter((kind) => project.lanes.has(kind)).map((kind) => this.lane(project, kind));
      const space = this.rooms.get(project.space);
      if (space?.membership === "invite") rows.push(this.invited(space));
      const box = element("details", "group", element("summary", "", project.name), ...rows);
      box.open = this.opened?.get(project.id) ?? i === 0;
      box.dataset.project = project.id;
      box.ontoggle = () => (this.opened ??= new Map()).set(project.id, box.open);
      groups.push(box);
    });
    const known = new Set(this.projects().flatMap((p) => [...p.lanes.values(), p.space]));
    const rest = mine.filter((r) => !known.has(r.id) && r.kind !== "space").sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
    const others = rest.map((r) => (r.membership === "invite" ? this.invited(r) : this.row(r, titles[r.kind] ?? r.name)));
    if (!rest.some((r) => r.kind === "direct")) others.push(this.opener());
    const drawn = element("div", "", ...groups, ...others);
    if (this.drawn === drawn.outerHTML) return;
    this.drawn = drawn.outerHTML;
    const focused = this.$(".rooms").contains(document.activeElement) && document.activeElement.dataset.key;
    this.$(".rooms").replaceChildren(...drawn.childNodes);
    if (focused) this.$(`.rooms [data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  lane(project, kind) {
    const room = this.rooms.get(project.lanes.get(kind));
    if (room?.membership === "join") return this.row(room, titles[kind]);
    if (room?.membership === "invite") return this.invited(room);
    const count = project.counts.get(kind) ?? 0;
    const note = count ? `${count} hidden from ${this.title}` : "not in it";
    const row = element("p", "absent", badge(kind), element("span", "called", titles[kind]), element("span", "note", note));
    row.title = `${this.title} is not in this room: nothing of it ever reaches ${this.title}.`;
    row.dataset.kind = kind;
    return row;
  }

  row(room, name) {
    const unread = room.unread;
    const row = button(badge(room.kind, room, this.connection), `${room.name}${unread ? `, ${unread} unread` : ""}`, () => this.show(room.id));
    row.className = "row-of";
    row.dataset.kind = room.kind;
    row.dataset.key = room.id;
    row.append(element("span", "called", name));
    if (unread) row.append(element("span", "unread", String(unread)));
    if (room === this.view.room) row.setAttribute("aria-current", "true");
    return row;
  }

  invited(room) {
    const { sender, content } = room.state.get(`m.room.member|${room.me}`) ?? {};
    const answer = (label, act) => {
      const made = button(label, `${label}: ${room.name}`, () => act().catch((error) => this.view.refuse(error)));
      made.dataset.key = `${label} ${room.id}`;
      return made;
    };
    const host = sender ? room.called(sender) : "somebody";
    const words = element("p", "", element("strong", "", room.kind === "direct" ? host : room.name));
    words.append(room.kind === "direct" ? ` invites ${this.title} to a direct chat` : ` · ${host} invites ${this.title}`);
    if (content?.reason) words.append(`: ${content.reason}`);
    const accept = answer("Accept", async () => {
      this.followed = room.kind === "space" ? this.followed : room.id;
      await this.connection.join(room.id);
    });
    accept.className = "yes";
    const box = element("div", "invitation", badge(room.kind, room, this.connection), words, accept, answer("Decline", () => this.connection.leave(room.id)));
    box.dataset.kind = room.kind;
    return box;
  }

  opener() {
    const row = button(badge("direct"), "Write to Lanekeeper", async () => {
      row.disabled = true;
      this.followed = await this.connection.direct(this.bot).catch((error) => (this.view.refuse(error), ""));
    });
    row.className = "row-of opener";
    row.dataset.key = "opener";
    row.append(element("span", "called", "Write to Lanekeeper"));
    return row;
  }
}

/** badge is the sign of a kind of room: the room's own picture, or ours. */
function badge(kind, room, connection) {
  const box = element("span", "sign", sign(document.getElementById(kind) ? kind : "other"));
  box.dataset.kind = kind;
  if (room?.avatar) {
    const show = (address) => address && box.replaceChildren(Object.assign(document.createElement("img"), { src: address, alt: "" }));
    picture.load(connection, room.avatar).then(show, () => {});
  }
  return box;
}
