// WhatsApp's markup as DOM nodes: *bold*, _italic_, ~struck~, `code`, ``` blocks,
// quotes, lists and links (https://faq.whatsapp.com/539178204879377). Words only
// ever become text nodes, so that nothing in a message can be run.

/** render puts a text with its markup into an element. */
export function render(element, text) {
  element.replaceChildren(...blocks(text));
}

/** plain is a text without its marks and empty lines, for previews. */
export function plain(text) {
  const box = document.createElement("div");
  const lines = text.replaceAll("```", "").split("\n").filter(Boolean);
  box.append(...lines.flatMap((line, i) => (i ? ["\n", ...inline(line)] : inline(line))));
  return box.textContent;
}

function blocks(text) {
  const out = [];
  const parts = text.split(/```([^]+?)```/);
  parts.forEach((part, i) => {
    if (i % 2) {
      out.push(element("pre", part.replace(/^\n|\n$/g, "")));
    } else if (part) {
      // a line that ends at a block, or begins after it, is not an empty line
      out.push(...lines(part.replace(i ? /^\n/ : "", "").replace(i < parts.length - 1 ? /\n$/ : "", "")));
    }
  });
  return out;
}

const kinds = [
  ["blockquote", /^> ?/],
  ["ul", /^[-*] /],
  ["ol", /^(\d{1,3})\. /],
];

function lines(text) {
  const out = [];
  let open; // the quote or list that the last line belongs to
  for (const line of text.split("\n")) {
    const [tag, mark] = kinds.find(([, mark]) => mark.test(line)) ?? [];
    if (!tag) {
      if (out.length && !open) out.push(document.createTextNode("\n"));
      out.push(...inline(line));
      open = undefined;
      continue;
    }
    if (open?.localName !== tag) {
      open = document.createElement(tag);
      if (tag === "ol") open.start = Number(mark.exec(line)[1]);
      out.push(open);
    }
    const item = document.createElement(tag === "blockquote" ? "div" : "li");
    item.append(...inline(line.replace(mark, "")));
    open.append(item);
  }
  return out;
}

// A mark opens before a word and closes behind one, on the same line.
const edge = String.raw`[^\s\u200b\u2060]`;
const tags = { "*": "strong", _: "em", "~": "s" };
const span = new RegExp(
  String.raw`(?<code>${"`"}[^${"`"}\n]+${"`"})` +
    String.raw`|(?<link>\b(?:https?:\/\/|www\.)[^\s<>]*[^\s<>.,;:!?'")\]*_~])` +
    String.raw`|(?<![\p{L}\p{N}])(?<mark>[*_~])(?<body>(?=${edge})(?:(?!\k<mark>).)*?${edge}|${edge})\k<mark>(?![\p{L}\p{N}])`,
  "u",
);

function inline(text) {
  const out = [];
  for (let match; (match = span.exec(text)); text = text.slice(match.index + match[0].length)) {
    if (match.index) out.push(document.createTextNode(text.slice(0, match.index)));
    const { code, link, mark, body } = match.groups;
    if (code) out.push(element("code", code.slice(1, -1)));
    else if (link) out.push(anchor(link));
    else {
      const marked = document.createElement(tags[mark]);
      marked.append(...inline(body));
      out.push(marked);
    }
  }
  if (text) out.push(document.createTextNode(text));
  return out;
}

function anchor(link) {
  const a = element("a", link);
  a.href = link.startsWith("www.") ? "https://" + link : link;
  a.target = "_blank";
  a.rel = "noopener noreferrer";
  return a;
}

function element(tag, text) {
  const e = document.createElement(tag);
  e.textContent = text;
  return e;
}
