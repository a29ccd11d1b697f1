// The story above the people: where it is, and the buttons that drive it.

import { element } from "./html.js";

const $ = (selector) => document.querySelector(`.story ${selector}`);

export class Story {
  step = "";
  looked = new Map(); // who → what they were turned to in this step

  constructor({ follow, act, ideas }) {
    Object.assign(this, { follow, act, ideas });
    $(".hold").onclick = () => act(this.state === "playing" ? "pause" : "play");
    $(".next").onclick = () => act("next");
    $(".again").onclick = () => act("again");
    addEventListener("keydown", (event) => {
      const typing = event.target.closest("textarea, input, dialog");
      const what = { " ": event.target.closest("button, a, summary") ? "" : this.state === "playing" ? "pause" : "play", n: "next" }[event.key];
      if (!what || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act(what);
    });
  }

  /** show takes a new scene. */
  show(scene) {
    this.state = scene.state;
    document.body.dataset.state = scene.state;
    document.body.dataset.step = `${scene.play}.${scene.step}`;
    const running = scene.state === "playing" || scene.state === "paused";
    $(".hold").disabled = $(".next").disabled = !running;
    $(".again").disabled = !running && scene.state !== "over" && scene.state !== "failed";
    $(".hold").ariaLabel = $(".hold").title = scene.state === "paused" ? "Play" : "Pause";
    $(".next").title = "Next step";
    $(".hold use").setAttribute("href", scene.state === "paused" ? "#play" : "#pause");
    this.title(scene);
    this.tell(scene);
    this.turn(scene);
  }

  title({ state, chapter, chapters, lead, error }) {
    $(".dots").replaceChildren(
      ...chapters.map((_, i) => element("i", state === "over" || i + 1 < chapter ? "done" : i + 1 === chapter ? "now" : "")),
    );
    const texts = {
      starting: ["Starting the homeserver and the bridge…", "A few seconds."],
      over: ["Your turn", "Write, react and answer as anybody, on the phones too. Ideas:"],
      failed: ["The story did not go on", `${error}. It can begin again.`],
    };
    const [title, words] = texts[state] ?? [chapters[chapter - 1] ?? "The story begins", lead];
    if ($(".title").textContent !== title) $(".title").textContent = title;
    $(".lead").textContent = words;
  }

  tell({ state, lines, play, step }) {
    const key = `${play}.${step}.${lines.length}.${state}`;
    if (key === this.told) return;
    this.told = key;
    if (state === "over") {
      $(".lines").replaceChildren(...this.ideas().map((idea) => element("li", "", idea)));
      return;
    }
    $(".lines").replaceChildren(...lines.slice(-3).map(said));
  }

  // turn turns everybody to what they look at, once for each look.
  turn({ play, step, look }) {
    if (this.step !== `${play}.${step}`) {
      this.step = `${play}.${step}`;
      this.looked.clear();
    }
    for (const [who, at] of Object.entries(look)) {
      const key = JSON.stringify(at);
      if (this.looked.get(who) === key) continue;
      this.follow(who, at, this.looked.size === 0);
      this.looked.set(who, key);
    }
  }
}

function said({ who, where, words, act }) {
  const line = element("li", act ? "act" : "");
  if (who) line.append(element("strong", "", who), " ");
  line.append(words.replace(/\s+/g, " ").replace(/\*\*?|`/g, "").slice(0, 140));
  if (where) line.append(" ", element("small", "", where));
  return line;
}
