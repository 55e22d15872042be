"""Style and script of the page to try a network."""

STYLE = """
:root { color-scheme: light dark; --line: #8886; --bar: #3b7dd8; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 44rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
label { display: block; margin: .6rem 0; overflow-wrap: anywhere; }
input, select, textarea { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: .35rem .5rem;
  border: 1px solid var(--line); border-radius: 6px; background: Canvas; color: CanvasText; }
textarea { min-height: 8rem; } .box { display: inline; width: auto; }
button { font: inherit; padding: .4rem 1.2rem; margin: .8rem 0; }
img { max-width: 16rem; max-height: 16rem; display: block; margin: .5rem 0; }
pre { overflow: auto; padding: .8rem; border: 1px solid var(--line); border-radius: 6px; font-size: .85rem; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; }
.row { display: grid; grid-template-columns: 10rem 1fr 4rem; gap: .6rem; align-items: center; margin: .2rem 0; }
.row span { overflow-wrap: anywhere; }
progress { width: 100%; accent-color: var(--bar); }
.bad { border-left: 4px solid #c33; padding-left: .8rem; } .quiet { opacity: .75; font-size: .9rem; }
"""

SCRIPT = """
"use strict";
const about = JSON.parse(document.getElementById("about").textContent);
const fields = document.getElementById("fields"), answer = document.getElementById("answer");
const make = (tag, text, into) => {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (into) into.append(made);
  return made;
};
const base64 = file => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
  reader.onerror = () => failed(new Error("The file cannot be read."));
  reader.readAsDataURL(file);
});
const wishes = {};
const cell = (field, into) => {
  const label = make("label", field.name + (field.hint ? " (" + field.hint + ")" : ""), into);
  const input = make(field.only ? "select" : "input", "", label);
  if (field.only) for (const choice of ["", ...field.choices]) make("option", choice, input);
  else if (field.choices && field.choices.length) {
    const list = make("datalist", "", label);
    list.id = "list-" + document.querySelectorAll("datalist").length;
    for (const choice of field.choices) make("option", choice, list).value = choice;
    input.setAttribute("list", list.id);
  }
  input.value = field.value;
  return () => [field.name, input.value];
};
const part = given => {
  make("p", given.about, fields);
  if (given.kind === "row") {
    const cells = given.fields.map(field => cell(field, fields));
    return async () => {
      // Not from a plain object: a column may be called __proto__.
      const row = Object.create(null);
      for (const one of cells) { const [name, value] = one(); row[name] = value; }
      return row;
    };
  }
  const label = make("label", given.name, fields);
  if (given.kind === "file") {
    const input = make("input", "", label);
    input.type = "file"; input.accept = given.accept; input.required = true;
    const picture = make("img", "", label); picture.alt = ""; picture.hidden = true;
    input.addEventListener("change", () => {
      if (picture.src) URL.revokeObjectURL(picture.src);
      picture.hidden = !(given.accept.startsWith("image/") && input.files[0]);
      if (!picture.hidden) picture.src = URL.createObjectURL(input.files[0]);
    });
    if (given.drawing) {
      const handwriting = make("label", "It is handwriting, to be made to look like the samples ", fields);
      const box = make("input", "", handwriting);
      box.type = "checkbox"; box.className = "box";
      box.addEventListener("change", () => { wishes.drawing = box.checked; });
    }
    return () => base64(input.files[0]);
  }
  const area = make("textarea", "", label);
  return async () => given.kind === "json" ? JSON.parse(area.value) : area.value;
};
const parts = about.parts.map(part);
const ranked = list => {
  for (const one of list) {
    const row = make("div", "", answer); row.className = "row";
    make("span", JSON.stringify(one.name).slice(1, -1), row);
    const bar = make("progress", "", row); bar.max = 1; bar.value = one.probability;
    make("span", (100 * one.probability).toFixed(1) + " %", row);
  }
};
const show = found => {
  const list = found.classes || found.labels;
  if (list) ranked(list);
  else if (found.words) make("p", found.words.map((word, i) => word + "/" + found.answer[i]).join(" "), answer);
  else make("pre", JSON.stringify(found.shares || found.answer, null, 1).slice(0, 20000), answer);
  for (const note of found.notes || []) make("p", note, answer).className = "quiet";
};
document.getElementById("form").addEventListener("submit", async event => {
  event.preventDefault();
  answer.replaceChildren();
  try {
    const values = await Promise.all(parts.map(read => read()));
    const named = () => Object.fromEntries(about.parts.map((one, i) => [one.name, values[i]]));
    const input = parts.length === 1 ? values[0] : named();
    const reply = await fetch("/predict", {
      method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({input, ...wishes}),
    });
    const found = await reply.json();
    if (!reply.ok) throw new Error(found.error.message);
    show(found.answer);
  } catch (error) {
    make("p", error.message, answer).className = "bad";
  }
});
"""
