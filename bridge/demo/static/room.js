// What one person knows of one room: made from the events that the homeserver gave
// to that person, and from nothing else.

const kinds = { Customer: "customer", Internal: "internal", Notes: "notes", Project: "space", "Super-admin": "super_admin" };

export class Room {
  membership = "";
  state = new Map(); // type and state key → event
  posts = []; // messages, and who came and went, in order
  byID = new Map(); // event id → post
  edits = new Map(); // event id → the newest content
  reactions = new Map(); // event id → key → sender → id of the reaction
  redacted = new Map(); // event id → what deleted it
  version = 0; // grows with every change
  readUpTo = ""; // event id

  constructor(id, me) {
    Object.assign(this, { id, me });
  }

  /** take takes what a sync says of the room. */
  take(membership, { state, timeline, ephemeral, invite_state }) {
    if (membership === "invite" || (membership === "leave" && this.membership === "invite")) this.state.clear();
    if (membership === "leave") {
      this.posts = [];
      this.byID.clear();
    }
    this.membership = membership;
    for (const event of [...(invite_state?.events ?? []), ...(state?.events ?? [])]) this.keep(event);
    if (membership === "join") for (const event of timeline?.events ?? []) this.add(event);
    for (const event of ephemeral?.events ?? []) this.receipts(event);
    this.version++;
  }

  keep(event) {
    this.state.set(`${event.type}|${event.state_key}`, event);
  }

  add(event) {
    if (this.byID.has(event.event_id)) return;
    const relation = event.content["m.relates_to"] ?? {};
    if (event.state_key !== undefined) {
      const before = this.get(event.type, event.state_key);
      this.keep(event);
      if (event.type === "m.room.member" && before?.membership !== event.content.membership) this.post(event);
    } else if (event.type === "m.room.redaction") {
      this.redact(event.content.redacts ?? event.redacts, event);
    } else if (event.type === "m.reaction" && relation.key) {
      this.react(event, relation);
    } else if (event.type === "m.room.message" && relation.rel_type === "m.replace") {
      const original = this.byID.get(relation.event_id)?.event;
      if (!original || original.sender === event.sender) this.edits.set(relation.event_id, event.content["m.new_content"] ?? {});
    } else if (event.type === "m.room.message" || event.type === "m.room.encrypted") {
      this.post(event);
    }
  }

  post(event) {
    this.byID.set(event.event_id, { event, place: this.posts.length });
    this.posts.push(event);
  }

  react({ event_id, sender }, { event_id: target, key }) {
    if (this.redacted.has(event_id)) return; // its echo comes after it was taken back
    const keys = this.reactions.get(target) ?? new Map();
    this.reactions.set(target, keys);
    keys.set(key, (keys.get(key) ?? new Map()).set(sender, event_id));
  }

  redact(id, by) {
    this.redacted.set(id, by);
    for (const keys of this.reactions.values()) {
      for (const [key, senders] of keys) {
        for (const [sender, reaction] of senders) if (reaction === id) senders.delete(sender);
        if (!senders.size) keys.delete(key);
      }
    }
  }

  receipts(event) {
    if (event.type !== "m.receipt") return;
    for (const [id, kinds] of Object.entries(event.content)) {
      if (this.me in (kinds["m.read"] ?? {}) && this.place(id) >= this.place(this.readUpTo)) this.readUpTo = id;
    }
  }

  place(id) {
    return this.byID.get(id)?.place ?? -1;
  }

  get(type, key = "") {
    return this.state.get(`${type}|${key}`)?.content;
  }

  /** content is what a message says now; undefined: it was deleted. */
  content(event) {
    const content = this.edits.get(event.event_id) ?? event.content;
    return this.redacted.has(event.event_id) || (event.type === "m.room.message" && !event.content.msgtype) ? undefined : content;
  }

  /** gone says how a deleted message is shown: who else took it away, and why. */
  gone(event) {
    const by = this.redacted.get(event.event_id) ?? event.unsigned?.redacted_because;
    if (!by || by.sender === event.sender) return "Deleted";
    return `Removed by ${this.called(by.sender)}${by.content?.reason ? `: ${by.content.reason}` : ""}`;
  }

  /** thread is the root of the thread that a message is in. */
  thread(event) {
    const relation = event.content["m.relates_to"] ?? {};
    return relation.rel_type === "m.thread" && this.byID.has(relation.event_id) ? relation.event_id : undefined;
  }

  /** answered is the message that another one is a reply to. */
  answered(event) {
    const relation = event.content["m.relates_to"] ?? {};
    if (relation.is_falling_back) return undefined;
    return this.byID.get(relation["m.in_reply_to"]?.event_id)?.event;
  }

  get lane() {
    return this.get("lanekeeper.lane") ?? {};
  }

  /** kind is customer, internal, notes, … for a lane; space, super_admin, direct or other. */
  get kind() {
    if (this.lane.kind) return this.lane.kind;
    if (this.get("m.room.create")?.type === "m.space") return "space";
    const named = this.get("m.room.name")?.name;
    // An invitation does not carry all of the state: there the name says what it is.
    return named ? (this.membership === "invite" && kinds[named.split(" · ")[0]]) || "other" : "direct";
  }

  get name() {
    const named = this.get("m.room.name")?.name;
    if (named) return named;
    const others = this.members().filter((id) => id !== this.me);
    return others.map((id) => this.called(id)).join(", ") || "Empty room";
  }

  get topic() {
    return this.get("m.room.topic")?.topic ?? "";
  }

  get avatar() {
    return this.get("m.room.avatar")?.url;
  }

  /** members are all who are in the room, or were asked to be. */
  members(...memberships) {
    const wanted = memberships.length ? memberships : ["join", "invite"];
    const found = [];
    for (const { type, state_key, content } of this.state.values()) {
      if (type === "m.room.member" && wanted.includes(content.membership)) found.push(state_key);
    }
    return found;
  }

  /** known is the name that a user has here. */
  known(id) {
    return this.get("m.room.member", id)?.displayname;
  }

  /** called is what people call a user. */
  called(id) {
    return this.known(id) || id.replace(/^@([^:]*):.*$/, "$1");
  }

  /** writes tells whether the person may write here. */
  get writes() {
    const create = this.state.get("m.room.create|");
    const levels = this.get("m.room.power_levels") ?? {};
    const founders = [create?.sender, ...(create?.content.additional_creators ?? [])];
    if (Number(create?.content.room_version) >= 12 && founders.includes(this.me)) return true;
    const level = levels.users?.[this.me] ?? levels.users_default ?? 0;
    return level >= (levels.events?.["m.room.message"] ?? levels.events_default ?? 0);
  }

  /** unread counts what others wrote since the person last looked. */
  get unread() {
    const from = Math.max(this.place(this.readUpTo), this.posts.findLastIndex((e) => e.sender === this.me));
    return this.posts.slice(from + 1).filter((e) => e.type === "m.room.message" && this.content(e)).length;
  }
}
