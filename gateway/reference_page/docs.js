// Shows /openapi.json. Nothing of it becomes markup: text goes into text nodes.

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

const resolved = (whole, node) => {
  if (Array.isArray(node)) return node.map((each) => resolved(whole, each));
  if (node === null || typeof node !== "object") return node;
  if (node.$ref) {
    const found = node.$ref.slice(2).split("/").reduce((at, key) => at[key], whole);
    return resolved(whole, found);
  }
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, resolved(whole, value)]));
};

const schemaOf = (content) => Object.entries(content ?? {})[0] ?? [];

const body = (title, content) => {
  const [type, media] = schemaOf(content);
  if (!type) return make("p", {}, title);
  const text = JSON.stringify(media.schema ?? {}, null, 2);
  return make("details", {}, make("summary", {}, `${title} (${type})`), make("pre", {}, text));
};

const parameters = (list) =>
  make("table", {}, ...list.map((each) =>
    make("tr", {},
      make("td", {}, make("code", {}, each.name)),
      make("td", {}, `${each.in}${each.required ? ", needed" : ""}`),
      make("td", {}, each.description ?? ""))));

const operation = (method, path, details) => {
  const open = details.security?.length === 0;
  const head = make("summary", {},
    make("code", {}, make("span", { class: "method" }, method.toUpperCase()), path), " ", details.summary ?? "");
  if (open) head.append(" ", make("span", { class: "open" }, "open"));
  const parts = [head];
  if (details.description) parts.push(make("p", {}, details.description));
  if (details.parameters?.length) parts.push(parameters(details.parameters));
  if (details.requestBody) parts.push(body("Body", details.requestBody.content));
  for (const [status, answer] of Object.entries(details.responses)) {
    parts.push(body(`${status} ${answer.description}`, answer.content));
  }
  return make("details", { id: details.operationId }, ...parts);
};

const show = (raw) => {
  const whole = resolved(raw, raw);
  const groups = new Map(whole.tags.map((tag) => [tag.name, [make("h2", {}, tag.name)]]));
  for (const [path, methods] of Object.entries(whole.paths)) {
    for (const [method, details] of Object.entries(methods)) {
      if (details.responses) groups.get(details.tags[0]).push(operation(method, path, details));
    }
  }
  const intro = make("p", {}, whole.info.description, " ", make("a", { href: "/openapi.json" }, "openapi.json"),
    ", for the websocket ", make("a", { href: "/asyncapi.json" }, "asyncapi.json"));
  document.querySelector("#docs").replaceChildren(
    make("h1", {}, `${whole.info.title} ${whole.info.version}`), intro, ...[...groups.values()].flat());
};

try {
  show(await (await fetch("/openapi.json")).json());
} catch (error) {
  document.querySelector("#docs").textContent = `The description cannot be shown: ${error.message}`;
}
