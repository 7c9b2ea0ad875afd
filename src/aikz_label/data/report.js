"use strict";
const every = (query) => [...document.querySelectorAll(query)];
const byId = (id) => document.getElementById(id);
const sentences = JSON.parse(byId("sentences").textContent);
const state = { verdict: "", format: "", reason: "", text: "" };
const files = every("details").map((node) => ({
  node,
  verdict: node.className,
  format: node.dataset.format,
  reason: node.dataset.reason,
  text: node.querySelector(".name").textContent.toLowerCase(),
}));

function filter() {
  let count = 0;
  for (const file of files) {
    const fits =
      (!state.verdict || file.verdict === state.verdict) &&
      (!state.format || file.format === state.format) &&
      (!state.reason || file.reason === state.reason) &&
      file.text.includes(state.text);
    file.node.hidden = !fits;
    count += fits;
  }
  byId("count").textContent = count;
  for (const button of every(".totals button"))
    button.setAttribute("aria-pressed", String(button.value === state.verdict));
}

function speak(language) {
  document.documentElement.lang = language;
  for (const node of every("[data-s]")) node.textContent = sentences[language][node.dataset.s];
  byId("search").placeholder = sentences[language][byId("search").dataset.hint];
}

for (const button of every(".totals button"))
  button.addEventListener("click", () => {
    state.verdict = state.verdict === button.value ? "" : button.value;
    filter();
  });
for (const id of ["format", "reason"])
  byId(id).addEventListener("change", (event) => {
    state[id] = event.target.value;
    filter();
  });
byId("search").addEventListener("input", (event) => {
  state.text = event.target.value.toLowerCase();
  filter();
});
byId("language").value = document.documentElement.lang;
byId("language").addEventListener("change", (event) => speak(event.target.value));

let closed = [];
addEventListener("beforeprint", () => {
  closed = every("details:not([open])");
  for (const node of closed) node.open = true;
});
addEventListener("afterprint", () => {
  for (const node of closed) node.open = false;
});
