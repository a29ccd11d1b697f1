// One phone for each agent, kept up to date by the emulator's stream of events.

import { Phone } from "./phone.js";

/**
 * connect puts the phones into an element as they come. made is called with each
 * new one, changed when something may be unread; offline with whether the stream is lost.
 */
export async function connect(into, { made = () => {}, changed = () => {}, offline = () => {} }) {
  await templates();
  const phones = new Map(); // number → Phone
  let page = ""; // this stream's name at the emulator
  const stream = new EventSource("/events");
  stream.onopen = () => offline(false);
  stream.onerror = () => offline(true);
  stream.onmessage = (event) => {
    const news = JSON.parse(event.data);
    if (news.page !== page) {
      page = news.page;
      for (const phone of phones.values()) phone.reconnected();
    }
    for (const p of news.phones) {
      const known = phones.get(p.number);
      const phone = known ?? new Phone(p, { post: (path, body) => post(p.number, path, { ...body, page }), changed });
      phones.set(p.number, phone);
      if (!known) {
        into.append(phone.element);
        made(phone);
      }
      phone.update(p, news);
      phone.receive(news.messages.filter((m) => m.phone === p.number), news.fresh);
    }
    changed();
  };
  setInterval(() => phones.forEach((p) => p.tick()), 1000);
}

/** post tells the emulator what somebody does on a phone. */
async function post(number, path, body) {
  const answer = await fetch(`/phones/${encodeURIComponent(number)}/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
}

// On a page other than the phones' own, their templates are fetched from there.
async function templates() {
  if (document.querySelector("#phone")) return;
  const page = await (await fetch("/static/")).text();
  document.body.append(...new DOMParser().parseFromString(page, "text/html").querySelectorAll("template"));
}
