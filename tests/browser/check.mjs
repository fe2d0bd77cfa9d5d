// Looks at exported pages in headless Chromium; see README.md. Ends with 1 if anything is not as it must be.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const maze = process.env.MAZE ?? "maze";
const out = resolve(process.env.OUT ?? "out");
mkdirSync(out, { recursive: true });

let failures = 0;
const check = (what, is, more = "") => {
  if (!is) failures += 1;
  console.log(`${is ? "ok  " : "FAIL"} ${what}${is || more === "" ? "" : `: ${more}`}`);
};

const browserPath = async () => {
  if (process.env.CHROMIUM) return { executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] };
  const { default: chromium } = await import("@sparticuz/chromium");
  return { executablePath: await chromium.executablePath(), args: chromium.args };
};

// Traces: one of a real run, and the same with hostile text everywhere.
const run = (...args) =>
  execFileSync(maze, args, { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, MAZE_CONFIG: "/dev/null" } });
const file = (name) => join(out, name);
// The prompt and the grammar disagree, so that the mask has something to remove.
const prompt = "Rust: fn main() {";
run("generate", prompt, "--language", "python", "--max-tokens", "150", "--trace", file("run.json"));
run("export", file("run.json"), "--output", file("run.html"));
const trace = JSON.parse(readFileSync(file("run.json"), "utf8"));

const hostile = [
  "</script><script>window.hacked=1</script>", "<img src=x onerror=window.hacked=1>", "</span></div>\"'>",
  "\u202eabc\u202c", "\u001b[31mred\u0007", "\u0000\u2028", "<!-- ", "]]>", "&lt;b&gt;", "{{7*7}}", "שלום", "\n\n",
];
const evil = structuredClone(trace);
evil.steps.forEach((step, i) => { step.bytes = [...Buffer.from(hostile[i % hostile.length])]; });
evil.request.prompt = hostile.join(" ");
evil.request.grammar.name = hostile.join(" ");
evil.request.grammar.text = hostile.join("\n");
evil.model.name = hostile.join(" ");
writeFileSync(file("evil.json"), JSON.stringify(evil));
run("export", file("evil.json"), "--output", file("evil.html"));

// A long run, for its size and for speed.
const long = structuredClone(trace);
long.steps = Array.from({ length: 2000 }, (_, i) => trace.steps[i % trace.steps.length]);
writeFileSync(file("long.json"), JSON.stringify(long));
const before = performance.now();
run("export", file("long.json"), "--output", file("long.html"));
const took = performance.now() - before;
const size = statSync(file("long.html")).size;
console.log(`     2000 tokens: ${(size / 1e6).toFixed(2)} MB, read and written in ${took.toFixed(0)} ms`);
check("a page of 2000 tokens is smaller than 3 MB", size < 3e6, size);

const browser = await puppeteer.launch({ ...(await browserPath()), headless: "shell" });

const open = async (name, { js = true, width = 1400, height = 900, scheme = "light" } = {}) => {
  const page = await browser.newPage();
  const said = [], asked = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("dialog", (dialog) => { said.push(dialog.message()); dialog.dismiss(); });
  page.on("request", (request) => asked.push(request.url()));
  await page.setJavaScriptEnabled(js);
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(pathToFileURL(file(name)).href);
  return { page, said, asked };
};
const selected = (page) =>
  page.$$eval("#tokens > span", (all) => all.findIndex((s) => s.getAttribute("aria-selected") === "true"));
const panel = (page) => page.$eval("#step", (step) => step.innerText);
const background = (page, selector) => page.$eval(selector, (e) => getComputedStyle(e).backgroundColor);

{
  const { page, said, asked } = await open("run.html");
  const count = trace.steps.length;
  check("every step is a token", (await page.$$eval("#tokens > span", (all) => all.length)) === count);
  const text = await page.$eval("#tokens", (box) => box.textContent);
  const bytes = trace.steps.filter((s) => !s.special).flatMap((s) => s.bytes);
  check("the tokens are the output", text === Buffer.from(bytes).toString(), JSON.stringify(text));

  await page.click("#tokens > span:nth-child(4)");
  check("a click selects a token", (await selected(page)) === 3);
  const step = trace.steps[3];
  const shown = await panel(page);
  check("its panel names its place", shown.includes(`token 4 of ${count}`), shown);
  check("and its allowed tokens", shown.includes(`${step.insight.allowed.count} of ${step.insight.allowed.of}`), shown);
  check("and candidates on both sides", (await page.$$eval("#step tr", (rows) => rows.length)) > 1);
  const word = await page.$eval("#step tr.chosen td:nth-child(2)", (cell) => cell.textContent);
  const name = Buffer.from(step.bytes).toString().replaceAll(" ", "·").replaceAll("\n", "⏎");
  check("the chosen one by its text", word === name, `${word} is not ${name}`);
  const widths = await page.$$eval("#step .bar", (bars) => bars.map((b) => b.getBoundingClientRect().width));
  check("bars fall with the probability", widths[0] > 1 && widths[0] >= widths[1], widths.join(" "));

  const press = async (key, wanted) => {
    await page.keyboard.press(key);
    check(`${key} leads to token ${wanted + 1}`, (await selected(page)) === wanted, await selected(page));
  };
  await press("ArrowRight", 4);
  await press("ArrowLeft", 3);
  await press("Home", 0);
  await press("ArrowLeft", 0);
  await press("End", count - 1);
  await press("ArrowRight", count - 1);
  await press("Home", 0);
  const isLost = (s) => {
    const { only, all_but } = s.insight.allowed, first = s.insight.before[0].token;
    return only ? !only.includes(first) : all_but.includes(first);
  };
  const next = trace.steps.findIndex((s, i) => i > 0 && isLost(s));
  check("the mask took a first choice", next > 0);
  await press("n", next);
  await press("Home", 0);
  const top = (i) => page.$eval(`#tokens > span:nth-child(${i + 1})`, (s) => s.getClientRects()[0].top);
  const firstTop = await top(0);
  await page.keyboard.press("ArrowDown");
  const below = await selected(page);
  check("ArrowDown leads to the next row", (await top(below)) > firstTop, `token ${below + 1}`);
  await page.keyboard.press("ArrowUp");
  check("ArrowUp leads back to the first row", (await top(await selected(page))) === firstTop);
  await page.keyboard.press("Escape");
  check("Escape selects nothing", (await selected(page)) === -1 && (await panel(page)) === "");

  const graph = await (await page.$(".graphs svg")).boundingBox();
  await page.mouse.click(graph.x + (graph.width * 10.5) / count, graph.y + 5);
  check("a click on a graph selects its step", (await selected(page)) === 10, await selected(page));
  const at = await page.$$eval(".graphs .at", (all) => all.map((r) => r.getAttribute("x")));
  check("the step is marked in all four graphs", at.length === 4 && new Set(at).size === 1, at.join(" "));

  const tinted = trace.steps.findIndex((s) => s.insight.mass_removed > 0.5);
  const token = `#tokens > span:nth-child(${(tinted < 0 ? 0 : tinted) + 1})`;
  await page.keyboard.press("Escape");
  const colours = [];
  for (const look of ["mass", "bounds", "plain"]) {
    await page.click(`label[for=look-${look}]`);
    colours.push(await background(page, token));
  }
  check("the look changes the tint", colours[0] !== colours[2], colours.join(" "));
  const tree = await page.accessibility.snapshot();
  const find = (node, role) => node.role === role ? node : (node.children ?? []).map((c) => find(c, role)).find(Boolean);
  check("a screen reader finds the list of tokens", find(tree, "listbox")?.name === "Generated tokens");
  check("nothing but the page was asked for", asked.length === 1, asked.join(" "));
  check("the console is silent", said.length === 0, said.join(" | "));
  await page.close();
}

{
  const { page, said, asked } = await open("evil.html");
  await page.click("#tokens > span:nth-child(2)");
  for (let i = 0; i < hostile.length; i += 1) await page.keyboard.press("ArrowRight");
  for (const summary of await page.$$("summary")) await summary.click();
  check("hostile text runs nothing", await page.evaluate(() => window.hacked === undefined));
  check("and makes no elements", (await page.$$eval("img, script", (all) => all.length)) === 2);
  check("every token is still there", (await page.$$eval("#tokens > span", (all) => all.length)) === evil.steps.length);
  const text = await page.evaluate(() => document.body.innerText + document.title);
  check("it is shown as text", text.includes("<img src=x onerror=window.hacked=1>"));
  check("what steers is named", !/[\u0000-\u0008\u001b\u202a-\u202e\u2028]/.test(text) && text.includes("⟨U+202E⟩"));
  check("nothing but the page was asked for", asked.length === 1, asked.join(" "));
  check("the console is silent", said.length === 0, said.join(" | "));
  // Were there a hole in the escaping, the policy would still hold.
  await page.evaluate(() => {
    const image = document.createElement("div");
    image.innerHTML = "<img src=http://127.0.0.1:9/x onerror='window.hacked=1'>";
    document.body.append(image);
    const script = document.createElement("script");
    script.textContent = "window.hacked=1";
    document.body.append(script);
  });
  await new Promise((done) => setTimeout(done, 200));
  check("the policy forbids what is put in", await page.evaluate(() => window.hacked === undefined));
  await page.screenshot({ path: file("evil.png") });
  await page.close();
}

{
  const { page } = await open("run.html", { js: false, scheme: "dark" });
  check("without scripts, the tints are there", (await page.$$("#tokens .h0, #tokens .h6")).length > 0);
  const text = await page.$eval("aside noscript", (note) => note.textContent);
  check("and a note says what is missing", text.includes("scripts are off"));
  await page.screenshot({ path: file("noscript.png") });
  await page.close();
}

const bodies = [];
for (const [name, options] of [
  ["light", {}], ["dark", { scheme: "dark" }], ["phone", { width: 390, height: 844 }],
  ["phone-dark", { width: 390, height: 844, scheme: "dark" }],
]) {
  const { page } = await open("run.html", options);
  await page.click("#tokens > span:nth-child(12)");
  bodies.push(await background(page, "body"));
  const [wide, room] = await page.evaluate(() => [document.scrollingElement.scrollWidth, innerWidth]);
  check(`${name}: nothing is wider than the screen`, wide <= room, `${wide} > ${room}`);
  const step = await (await page.$("aside")).boundingBox();
  const height = options.height ?? 900;
  check(`${name}: the panel is on the screen`, step.y < height - 40, JSON.stringify(step));
  await page.screenshot({ path: file(`${name}.png`) });
  await page.close();
}
check("light and dark differ", bodies[0] !== bodies[1], bodies.join(" "));

{
  const { page, said } = await open("long.html");
  const loaded = await page.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventEnd);
  console.log(`     2000 tokens: loaded in ${loaded.toFixed(0)} ms`);
  await page.click("#tokens > span:nth-child(1990)");
  await page.keyboard.press("ArrowRight");
  check("a long run opens and is walked through", (await selected(page)) === 1990, await selected(page));
  check("the console is silent", said.length === 0, said.join(" | "));
  await page.close();
}

await browser.close();
console.log(failures === 0 ? "all is as it must be" : `${failures} things are wrong`);
process.exitCode = failures === 0 ? 0 : 1;
