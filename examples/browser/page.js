// What runs in the page: the same `Global`, with the same `g.call`.
import { callback, Global } from "@daffi/core/browser";

const find = (selector) => document.querySelector(selector);

// Every process can have this page show something: `await g.call.show("Hello!").fg({ to: page })`.
callback("show", (text) => {
  const item = document.createElement("li");
  item.textContent = text;
  find("ul").append(item);
  return find("ul").children.length;
});

const url = new URL("daffi", location.href);
url.protocol = url.protocol.replace("http", "ws");
const g = new Global({
  processName: `page ${crypto.randomUUID().slice(0, 4)}`,
  url: url.href,
  // Should the server be gone, the page comes back by itself.
  onNodeConnect: () => find("#state").textContent = "connected",
  onNodeDisconnect: () => find("#state").textContent = "not connected",
});
find("#name").textContent = g.processName;

find("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const sum = await g.call.add(find("#a").valueAsNumber, find("#b").valueAsNumber);
  find("output").textContent = sum;
});
