// Types into our own editor as a person would and tells as JSON what comes of it: node type.mjs CHROMIUM PROFILE URL PICTURE
import puppeteer from "puppeteer-core";

const [executablePath, userDataDir, address, picture] = process.argv.slice(2);
const quiet = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
];
const browser = await puppeteer.launch({ executablePath, userDataDir, args: quiet, defaultViewport: { width: 1280, height: 1000 } });
const told = { complaints: [] };
const pressed = async (page, key) => {
  await page.keyboard.down("Control");
  await page.keyboard.press(key);
  await page.keyboard.up("Control");
};
try {
  const page = await browser.newPage();
  page.on("console", (message) => told.complaints.push(message.text()));
  page.on("pageerror", (error) => told.complaints.push(error.message));
  const words = page.waitForResponse((answer) => answer.url().endsWith("/static/words.json"));
  await page.goto(address, { waitUntil: "load" });
  await words;
  await page.click("#query");
  await pressed(page, "a");
  await page.keyboard.type("SELECT * { ?m a hw:Mo");
  await page.waitForSelector("#words:not([hidden])");
  told.offered = await page.$$eval("#words code", (found) => found.map((one) => one.textContent));
  await page.keyboard.press("Tab");
  told.completed = await page.$eval("#query", (field) => field.value);
  told.focused = await page.evaluate(() => document.activeElement.id);
  await new Promise((done) => setTimeout(done, 600));
  told.wrong = await page.$eval("#checked", (found) => found.textContent);
  await page.keyboard.type(" }");
  await new Promise((done) => setTimeout(done, 600));
  told.right = await page.$eval("#checked", (found) => found.textContent);
  await page.keyboard.press("Tab");
  told.left = await page.evaluate(() => document.activeElement.id);
  await page.click("#query");
  await Promise.all([page.waitForNavigation(), pressed(page, "Enter")]);
  told.answer = await page.$eval("#answer", (found) => found.textContent);
  await page.screenshot({ path: picture });
} finally {
  await browser.close();
}
process.stdout.write(JSON.stringify(told));
