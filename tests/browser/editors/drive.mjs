// Types queries into YASGUI in a real browser and tells as JSON what it shows: node drive.mjs CHROMIUM PROFILE URL PICTURE < queries
import { readFileSync } from "node:fs";
import puppeteer from "puppeteer-core";

const [executablePath, userDataDir, address, picture] = process.argv.slice(2);
const quiet = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
];
const browser = await puppeteer.launch({ executablePath, userDataDir, args: quiet, defaultViewport: { width: 1280, height: 1000 } });
const told = [];
try {
  const page = await browser.newPage();
  await page.goto(address, { waitUntil: "load" });
  await page.waitForSelector(".CodeMirror textarea");
  for (const query of JSON.parse(readFileSync(0, "utf8"))) {
    // Hands on what a person would press: everything marked, the new text typed over it, run.
    await page.click(".CodeMirror");
    await page.keyboard.down("Control");
    await page.keyboard.press("a");
    await page.keyboard.up("Control");
    await page.keyboard.sendCharacter(query);
    await page.evaluate(() => {
      window.answered = new Promise((done) => window.yasgui.getTab().once("queryResponse", () => done(true)));
    });
    await page.keyboard.down("Control");
    await page.keyboard.press("Enter");
    await page.keyboard.up("Control");
    await page.evaluate(() => Promise.race([window.answered, new Promise((_, failed) => setTimeout(() => failed(new Error("no answer")), 30000))]));
    await new Promise((done) => setTimeout(done, 500));
    told.push(await page.evaluate(() => ({
      shown: document.querySelector(".yasr")?.innerText ?? "",
      rows: document.querySelectorAll(".yasr_results table tbody tr").length,
      error: document.querySelector(".yasr .errorResult")?.innerText ?? "",
    })));
    await page.screenshot({ path: `${picture}-${told.length}.png` });
  }
} finally {
  await browser.close();
}
process.stdout.write(JSON.stringify(told));
