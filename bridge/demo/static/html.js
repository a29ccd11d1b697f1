// Foreign words as DOM nodes. Formatted ones are read by a parser that runs and
// loads nothing, and made anew from a short list of what may be there.

const plain = new Set(["P", "BR", "STRONG", "B", "EM", "I", "U", "S", "DEL", "CODE", "PRE", "BLOCKQUOTE", "UL", "OL", "LI", "HR", "DIV", "SMALL"]);
const heads = new Set(["H1", "H2", "H3", "H4", "H5", "H6"]);
const gone = new Set(["MX-REPLY", "SCRIPT", "STYLE", "TEMPLATE", "IFRAME", "OBJECT", "TITLE", "TEXTAREA", "NOSCRIPT", "SVG", "MATH"]);
const deepest = 24;

/** words gives what a message says, as nodes. to knows names of people and rooms, and opens a room. */
export function words(content, to) {
  if (content.format !== "org.matrix.custom.html" || typeof content.formatted_body !== "string") return lines(content.body, to);
  const parsed = new DOMParser().parseFromString(content.formatted_body.slice(0, 60000), "text/html");
  return children(parsed.body, to, 0);
}

/** lines are plain words with links. */
function lines(body, to) {
  const out = [];
  const text = String(body ?? "");
  const link = /\bhttps?:\/\/[^\s<>]*[^\s<>.,;:!?'")\]*_~]/g;
  let from = 0;
  for (const { 0: found, index } of text.matchAll(link)) {
    out.push(text.slice(from, index), linked(found, [found], to));
    from = index + found.length;
  }
  return [...out, text.slice(from)].flat();
}

/** short is what a message says in one line. */
export function short(content) {
  const body = String(content?.body ?? "").replace(/^(>.*\n)+\n?/, "");
  return body.replace(/\s+/g, " ").trim().slice(0, 160);
}

function children(node, to, depth) {
  if (depth > deepest) return [node.textContent];
  return [...node.childNodes].flatMap((child) => safe(child, to, depth + 1));
}

function safe(node, to, depth) {
  if (node.nodeType === Node.TEXT_NODE) return node.parentNode.closest("a, code") ? [node.data] : lines(node.data, to);
  if (node.nodeType !== Node.ELEMENT_NODE || gone.has(node.nodeName.toUpperCase())) return [];
  const inside = children(node, to, depth);
  if (node.nodeName === "A") return [linked(node.getAttribute("href") ?? "", inside, to)].flat();
  if (!plain.has(node.nodeName) && !heads.has(node.nodeName)) return inside;
  const made = document.createElement(heads.has(node.nodeName) ? "strong" : node.nodeName);
  if (node.nodeName === "OL" && Number(node.getAttribute("start")) > 0) made.start = Number(node.getAttribute("start"));
  made.append(...inside);
  return [made];
}

// A link into Matrix is a person's or a room's name; others open in a new tab.
function linked(href, inside, to) {
  const [, target] = /^https:\/\/matrix\.to\/#\/([^?/]+)/.exec(href) ?? [];
  const id = target && decode(target);
  if (id?.startsWith("@")) return element("span", "pill", `@${to.name(id)}`);
  if (id?.startsWith("!")) {
    const said = inside.map((n) => n.textContent ?? n).join("");
    const button = element("button", "pill", said.startsWith("https:") || !said ? to.room(id) : said);
    button.type = "button";
    button.onclick = () => to.open(id);
    return button;
  }
  return /^(https?|mailto):/i.test(href) ? anchor(href, inside) : inside;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

function anchor(href, inside) {
  const a = document.createElement("a");
  a.href = href;
  a.target = "_blank";
  a.rel = "noopener noreferrer";
  a.append(...inside);
  return a;
}

/** element makes one with words in it. */
export function element(tag, className, ...inside) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...inside);
  return made;
}
