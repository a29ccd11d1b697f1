// One person's connection to the homeserver: the plain Client-Server API
// (https://spec.matrix.org/latest/client-server-api/), as every Matrix client uses it.

const filter = JSON.stringify({
  presence: { types: [] },
  account_data: { types: [] },
  room: { timeline: { limit: 500 }, account_data: { types: [] } },
});

export class Connection {
  constructor({ id, token }, { homeserver }) {
    Object.assign(this, { id, token, homeserver });
  }

  /** call makes a request and gives its answer; what the homeserver refuses is an Error in its words. */
  async call(method, path, body, { signal, type = "application/json" } = {}) {
    const answer = await this.fetch(path, {
      method,
      signal,
      headers: body === undefined ? {} : { "Content-Type": type },
      body: body === undefined || body instanceof Blob ? body : JSON.stringify(body),
    });
    return answer.json();
  }

  async fetch(path, options) {
    const answer = await fetch(this.homeserver + path, {
      ...options,
      headers: { ...options.headers, Authorization: `Bearer ${this.token}` },
    });
    if (answer.ok) return answer;
    const why = await answer.json().catch(() => ({}));
    throw new Error(why.error || `The homeserver answers ${answer.status}.`);
  }

  room(room, ...parts) {
    return ["/_matrix/client/v3/rooms", room, ...parts].map((p, i) => (i ? encodeURIComponent(p) : p)).join("/");
  }

  /** send sends an event and gives its id. */
  async send(room, type, content) {
    const { event_id } = await this.call("PUT", this.room(room, "send", type, crypto.randomUUID()), content);
    return event_id;
  }

  redact(room, event) {
    return this.call("PUT", this.room(room, "redact", event, crypto.randomUUID()), {});
  }

  join(room) {
    return this.call("POST", this.room(room, "join"), {});
  }

  leave(room) {
    return this.call("POST", this.room(room, "leave"), {});
  }

  read(room, event) {
    return this.call("POST", this.room(room, "receipt", "m.read", event), {});
  }

  async direct(user) {
    const { room_id } = await this.call("POST", "/_matrix/client/v3/createRoom", {
      is_direct: true,
      preset: "trusted_private_chat",
      invite: [user],
    });
    return room_id;
  }

  /** upload stores a file and gives its mxc:// address. */
  async upload(file) {
    const path = `/_matrix/media/v3/upload?filename=${encodeURIComponent(file.name)}`;
    const { content_uri } = await this.call("POST", path, file, { type: file.type || "application/octet-stream" });
    return content_uri;
  }

  /** download gets a file that only people may see who are allowed to. */
  async download(mxc) {
    const [, server, id] = /^mxc:\/\/([^/]+)\/([\w-]+)$/.exec(mxc) ?? [];
    if (!id) throw new Error("This is no file of a homeserver.");
    const path = `/_matrix/client/v1/media/download/${encodeURIComponent(server)}/${id}`;
    return (await this.fetch(path, { method: "GET" })).blob();
  }

  /** sync gives every answer of the homeserver to take. While nobody can see the page it asks for nothing. */
  async sync(take, lost) {
    let since = "";
    for (;;) {
      await visible();
      const stop = new AbortController();
      const hide = () => document.hidden && stop.abort();
      document.addEventListener("visibilitychange", hide);
      try {
        const query = new URLSearchParams({ filter, set_presence: "offline", ...(since && { since, timeout: 20000 }) });
        const answer = await this.call("GET", `/_matrix/client/v3/sync?${query}`, undefined, { signal: stop.signal });
        since = answer.next_batch;
        lost(false);
        take(answer);
      } catch (error) {
        if (error.name === "AbortError") continue;
        lost(true);
        if (!(error instanceof TypeError)) console.warn(error);
        await new Promise((go) => setTimeout(go, 1000));
      } finally {
        document.removeEventListener("visibilitychange", hide);
      }
    }
  }
}

function visible() {
  if (!document.hidden) return;
  return new Promise((go) => {
    const look = () => {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", look);
      go();
    };
    document.addEventListener("visibilitychange", look);
  });
}
