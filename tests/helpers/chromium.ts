/**
 * A browser without a window, for pages that a test drives.
 *
 * @module
 */

import { type Browser, chromium, type Page } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Where Chromium is; `undefined` if it is not installed. */
export const CHROMIUM: string | undefined = PLACES.find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

const FLAGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

/** A page in a browser of its own. Both are closed at the end of the scope. */
export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors that nobody caught. */
  readonly errors: string[];
}

/** Opens a page in a new browser, with a new profile. */
export async function openPage(url: string): Promise<OpenPage> {
  const browser: Browser = await chromium.launch({ executablePath: CHROMIUM!, args: FLAGS });
  try {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(url);
    return { page, errors, [Symbol.asyncDispose]: () => browser.close() };
  } catch (error) {
    await browser.close();
    throw error;
  }
}
