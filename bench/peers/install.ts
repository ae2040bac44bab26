/**
 * What the peers need: packages in a `node_modules` of their own, and `nats-server`.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));

/** Installs the packages if they are not as `package-lock.json` has them. */
export async function installPackages(): Promise<void> {
  const wanted = await Deno.readTextFile(`${FOLDER}package-lock.json`);
  const stamp = `${FOLDER}node_modules/.installed`;
  const installed = await Deno.readTextFile(stamp).catch(() => undefined);
  if (installed === wanted) return;
  console.error("Installing the peers with npm, once");
  const { success } = await new Deno.Command("npm", {
    args: ["ci", "--no-audit", "--no-fund", "--loglevel=error"],
    cwd: FOLDER,
    stdout: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`Cannot measure peers: npm ci in ${FOLDER} failed`);
  await Deno.writeTextFile(stamp, wanted);
}

/** Version of `nats-server`; `undefined` where there is none. */
export async function natsServerVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command("nats-server", { args: ["--version"] }).output();
    return /v([\d.]+)/.exec(new TextDecoder().decode(stdout))?.[1];
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.error("There is no nats-server: NATS is left out (apt-get install -y nats-server)");
    return undefined;
  }
}

/** Versions of the packages that are measured. */
export async function packageVersions(): Promise<Record<string, string>> {
  const { dependencies } = JSON.parse(await Deno.readTextFile(`${FOLDER}package.json`));
  return dependencies;
}
