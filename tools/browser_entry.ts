/**
 * What is bundled for pages: `browser.ts`. The modules before it are those that the bundle begins with, for what is
 * alike and close together is compressed better.
 *
 * @module
 */

import "../src/node/node.ts";

export * from "../browser.ts";
