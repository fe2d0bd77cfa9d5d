// The page of an exported run: shows what was known at the selected token. Everything that a run says is
// put into the page as text, never as markup.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const box = document.getElementById("tokens");
  const spans = [...box.children];
  const marks = [...document.querySelectorAll(".graphs .at")];
  const panel = document.getElementById("step");
  const hint = document.getElementById("hint");
  let selected = -1;

  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const name = (token) => data.names[token] ?? "#" + token;
  const percent = (share) => {
    if (share === null) return "-";
    const value = share * 100;
    return value >= 99.95 ? "100%" : value >= 9.95 ? value.toFixed(1) + "%"
      : value >= 0.005 || value === 0 ? value.toFixed(2) + "%" : "<0.01%";
  };
  const time = (micros) => micros < 999.5 ? Math.round(micros) + " µs" : (micros / 1000).toFixed(1) + " ms";
  const bits = (value) => value === null ? "-" : value.toFixed(2);

  const facts = (step) => {
    const [, , [forward, mask, , pick, commit], allowed, of, [removed, before, after], chosen] = step;
    const list = element("dl");
    const row = (label, text) => list.append(element("dt", label), element("dd", text));
    if (allowed !== undefined) {
      row("allowed", allowed + " of " + of + " tokens");
      row("removed", percent(removed) + " of the probability");
      row("entropy", bits(before) + " → " + bits(after) + " bits");
      row("this token", percent(chosen[0]) + " → " + percent(chosen[1]) + ", picked with " + percent(chosen[2]));
    }
    const parts = [["forward", forward], ["mask", mask], ["pick", pick], ["commit", commit]];
    row("time", parts.filter(([, t]) => t > 0).map(([n, t]) => n + " " + time(t)).join(", ") || "none");
    return list;
  };

  // The bar, the mark and the word say the same: which token was chosen, which the mask removed.
  const table = (title, token, [ids, shares, removed]) => {
    const made = element("table");
    made.append(element("caption", title));
    ids.forEach((id, i) => {
      const isLost = removed !== undefined && removed[i] === "x";
      const row = element("tr", undefined, id === token ? "chosen" : isLost ? "lost" : "");
      const mark = element("td", id === token ? "▸" : isLost ? "✗" : "");
      if (id === token || isLost) mark.setAttribute("aria-label", id === token ? "chosen" : "removed");
      const word = element("td", name(id));
      word.title = name(id) + " (token " + id + ")";
      const bar = element("span", undefined, "bar");
      bar.style.width = Math.min(1, shares[i] ?? 0) * 100 + "%";
      const cell = element("td");
      cell.append(bar);
      row.append(mark, word, cell, element("td", percent(shares[i])));
      made.append(row);
    });
    return made;
  };

  const show = (index) => {
    const step = data.steps[index];
    const [token, kind] = step;
    const heading = element("h2");
    heading.setAttribute("role", "status");
    heading.append(element("span", name(token), "word"),
      " " + kind + (spans[index].classList.contains("k") ? ", thinking" : "")
      + ", token " + (index + 1) + " of " + spans.length);
    const parts = [heading, facts(step)];
    if (step.length > 3) {
      parts.push(table("Before the mask", token, step[7]), table("After the mask", token, step[8]));
    } else {
      parts.push(element("p", "This token was recorded without its candidates."));
    }
    panel.replaceChildren(...parts);
  };

  const select = (index) => {
    if (spans.length === 0) return;
    if (selected >= 0) spans[selected].setAttribute("aria-selected", "false");
    selected = Math.max(-1, Math.min(index, spans.length - 1));
    hint.hidden = selected >= 0;
    marks.forEach((mark) => {
      const columns = mark.ownerSVGElement.viewBox.baseVal.width;
      const per = Math.ceil(spans.length / columns);
      // In a long run a column is finer than a pixel; the mark is not.
      const width = Math.max(1, columns / 300);
      mark.setAttribute("x", Math.max(0, Math.floor(selected / per) + 0.5 - width / 2));
      mark.setAttribute("width", selected < 0 ? 0 : width);
    });
    if (selected < 0) {
      box.removeAttribute("aria-activedescendant");
      panel.replaceChildren();
      return;
    }
    spans[selected].setAttribute("aria-selected", "true");
    box.setAttribute("aria-activedescendant", spans[selected].id);
    spans[selected].scrollIntoView({ block: "nearest" });
    show(selected);
  };

  // The token that stands above or below, as near as can be.
  const vertical = (by) => {
    const at = spans[selected].getClientRects()[0];
    let best = selected, bestTop = 0, bestGap = Infinity;
    for (let i = selected + by; i >= 0 && i < spans.length; i += by) {
      const rect = spans[i].getClientRects()[0];
      if (!rect || (rect.top - at.top) * by < at.height / 2) continue;
      if (best !== selected && Math.abs(rect.top - bestTop) > at.height / 2) break;
      const gap = Math.abs(rect.left - at.left);
      if (gap < bestGap) [best, bestTop, bestGap] = [i, rect.top, gap];
    }
    return best;
  };

  // The next token where the mask took what the model wanted most.
  const surprise = (by) => {
    for (let i = selected + by; i >= 0 && i < spans.length; i += by) {
      const step = data.steps[i];
      if (step.length > 3 && step[7][2][0] === "x") return i;
    }
    return selected;
  };

  const keys = {
    ArrowLeft: () => Math.max(0, selected - 1),
    ArrowRight: () => selected + 1,
    ArrowUp: () => selected < 0 ? 0 : vertical(-1),
    ArrowDown: () => selected < 0 ? 0 : vertical(1),
    Home: () => 0,
    End: () => spans.length - 1,
    n: () => surprise(1),
    N: () => surprise(-1),
    Escape: () => -1,
  };

  box.setAttribute("role", "listbox");
  box.setAttribute("aria-label", "Generated tokens");
  box.tabIndex = 0;
  spans.forEach((span, i) => {
    span.id = "t" + i;
    span.setAttribute("role", "option");
    span.setAttribute("aria-selected", "false");
  });
  box.addEventListener("click", (event) => {
    const index = spans.indexOf(event.target.closest(".tokens > span"));
    if (index >= 0) select(index);
  });
  document.addEventListener("keydown", (event) => {
    const elsewhere = event.target.closest("input,summary,pre");
    const key = keys[event.key];
    if (!key || elsewhere || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    select(key());
  });
  document.querySelectorAll(".graphs svg").forEach((svg) => svg.addEventListener("click", (event) => {
    const rect = svg.getBoundingClientRect();
    const columns = svg.viewBox.baseVal.width;
    const column = Math.floor((event.clientX - rect.left) / rect.width * columns);
    select(column * Math.ceil(spans.length / columns));
  }));
})();
