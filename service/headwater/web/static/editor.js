// The SPARQL editor: looks a text over while it is written, completes prefixes and terms, and runs it with Ctrl+Enter.
// Without this script the page does everything but that.
"use strict";

(() => {
  const field = document.getElementById("query");
  const form = document.getElementById("ask");
  const said = document.getElementById("checked");
  if (!field || !form || !said) return;
  document.getElementById("keys").hidden = false;

  let known = { prefixes: {}, terms: {} };
  fetch("/static/words.json").then((answer) => answer.json()).then((words) => { known = words; check(); }, () => undefined);

  // ---- looking over: brackets that do not match, strings that do not end, prefixes that are not declared

  const token = new RegExp([
    "#[^\\n]*", "<[^<>\"{}|^`\\\\\\s]*>", '"""(?:[^"\\\\]|\\\\.|"(?!""))*"""', "'''(?:[^'\\\\]|\\\\.|'(?!''))*'''",
    '"(?:[^"\\\\\\n]|\\\\.)*"', "'(?:[^'\\\\\\n]|\\\\.)*'", "[?$]\\w+", "_:[\\w.-]+", "[A-Za-z][\\w.-]*:", "[A-Za-z_]\\w*",
    "[(){}\\[\\]]", "[\"']", "[^]",
  ].join("|"), "gs");
  const closes = { ")": "(", "]": "[", "}": "{" };

  function* mistakes(text) {
    const open = [];
    const declared = new Set();
    let before = "";
    for (const { 0: word, index } of text.matchAll(token)) {
      if (/^\s/.test(word) || word.startsWith("#")) continue;
      if ("([{".includes(word)) open.push([word, index]);
      else if (word in closes) {
        const last = open.pop();
        if (!last || last[0] !== closes[word]) { yield [index, `“${word}” closes nothing`]; return; }
      } else if (word === '"' || word === "'") { yield [index, "a text begins here and does not end"]; return; }
      else if (/^[A-Za-z][\w.-]*:$/.test(word)) {
        const prefix = word.slice(0, -1);
        if (before.toUpperCase() === "PREFIX") declared.add(prefix);
        else if (!declared.has(prefix)) { yield [index, `the prefix ${prefix}: is not declared`, prefix]; return; }
      }
      before = word;
    }
    if (open.length) yield [open[open.length - 1][1], `“${open[open.length - 1][0]}” is not closed`];
  }

  function place(text, index) {
    const lines = text.slice(0, index).split("\n");
    return `Line ${lines.length}, column ${lines[lines.length - 1].length + 1}`;
  }

  function check() {
    const found = mistakes(field.value).next().value;
    said.textContent = "";
    field.removeAttribute("aria-invalid");
    if (!found) return;
    const [index, words, prefix] = found;
    said.textContent = `${place(field.value, index)}: ${words}. `;
    field.setAttribute("aria-invalid", "true");
    const address = known.prefixes[prefix];
    if (address) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet";
      button.textContent = `Declare ${prefix}:`;
      button.addEventListener("click", () => { declare(prefix); field.focus(); check(); });
      said.append(button);
    }
  }

  function declare(prefix) {
    const line = `PREFIX ${prefix}: <${known.prefixes[prefix]}>\n`;
    const at = field.selectionStart + line.length;
    field.setRangeText(line, 0, 0, "preserve");
    field.setSelectionRange(at, at);
  }

  let waiting = 0;
  const later = () => { clearTimeout(waiting); waiting = setTimeout(check, 400); };

  // ---- completing: a list under the field; Tab and the arrows are taken only while it is there

  const list = document.createElement("ul");
  list.id = "words";
  list.className = "words";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Words that fit");
  list.hidden = true;
  field.after(list);
  field.setAttribute("aria-controls", "words");
  field.setAttribute("aria-autocomplete", "list");
  let chosen = 0;
  let offered = [];

  function begun() {
    const word = /[A-Za-z][\w.-]*:?[\w-]*$/.exec(field.value.slice(0, field.selectionStart));
    return word ? word[0] : "";
  }

  function offer(asked) {
    const word = begun();
    const wanted = word.toLowerCase();
    const [prefix, local] = [wanted.split(":")[0], wanted.includes(":")];
    offered = [];
    if (local || asked) {
      const fits = ([name, label]) => name.toLowerCase().startsWith(wanted) ||
        (local && name.toLowerCase().startsWith(`${prefix}:`) && label.toLowerCase().includes(wanted.slice(prefix.length + 1)));
      offered = Object.entries(known.terms).filter(fits);
      if (!local) offered = [...Object.keys(known.prefixes).filter((one) => one.startsWith(wanted)).map((one) => [`${one}:`, known.prefixes[one]]), ...offered];
      offered = offered.filter(([name]) => name !== word).slice(0, 12);
    }
    list.replaceChildren(...offered.map(([name, label], number) => {
      const item = document.createElement("li");
      item.id = `word-${number}`;
      item.setAttribute("role", "option");
      const shown = document.createElement("code");
      shown.textContent = name;
      item.append(shown, ` ${label}`);
      item.addEventListener("mousedown", (event) => { event.preventDefault(); take(number); });
      return item;
    }));
    list.hidden = !offered.length;
    choose(0);
  }

  function choose(number) {
    chosen = number;
    [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === chosen)));
    if (list.hidden) field.removeAttribute("aria-activedescendant");
    else {
      field.setAttribute("aria-activedescendant", `word-${chosen}`);
      list.children[chosen].scrollIntoView({ block: "nearest" });
    }
  }

  function close() {
    list.hidden = true;
    field.removeAttribute("aria-activedescendant");
  }

  function take(number) {
    const [name] = offered[number];
    const end = field.selectionStart;
    field.setRangeText(name, end - begun().length, end, "end");
    close();
    const prefix = name.split(":")[0];
    const declared = new RegExp(`\\bPREFIX\\s+${prefix}\\s*:`, "i").test(field.value);
    const declaring = /\bPREFIX\s+\S*$/i.test(field.value.slice(0, field.selectionStart));
    if (declaring) field.setRangeText(` <${known.prefixes[prefix]}>`, field.selectionStart, field.selectionStart, "end");
    else if (!declared && known.prefixes[prefix]) declare(prefix);
    check();
  }

  field.addEventListener("input", () => { later(); offer(false); });
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      offer(true);
    } else if (!list.hidden) {
      const step = { ArrowDown: 1, ArrowUp: offered.length - 1 }[event.key];
      if (step) choose((chosen + step) % offered.length);
      else if (event.key === "Tab") take(chosen);
      else if (event.key === "Escape") close();
      else return;
      event.preventDefault();
    }
  });

  // A long text does not fit into an address.
  form.addEventListener("submit", () => {
    if (encodeURIComponent(field.value).length > 6000) form.method = "post";
  });

  const error = document.getElementById("error");
  if (error && error.dataset.line) {
    const lines = field.value.split("\n");
    const at = lines.slice(0, error.dataset.line - 1).join("\n").length + (error.dataset.line > 1) + Number(error.dataset.column) - 1;
    field.setSelectionRange(at, at);
  }
  check();
})();
