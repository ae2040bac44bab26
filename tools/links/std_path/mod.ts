// Types by hand for the plain JavaScript of the standard library on npm: see ../README.md.
import * as impl from "npm:deno-std@1.4.0/path/mod.js";

/** The last part of a path. */
export const basename: (path: string, suffix?: string) => string = impl.basename;
/** The path without its last part. */
export const dirname: (path: string) => string = impl.dirname;
/** The extension, with its dot. */
export const extname: (path: string) => string = impl.extname;
/** The path of a `file:` URL. */
export const fromFileUrl: (url: string | URL) => string = impl.fromFileUrl;
/** Whether the path is absolute. */
export const isAbsolute: (path: string) => boolean = impl.isAbsolute;
/** Joins parts and normalizes the result. */
export const join: (path: string, ...paths: string[]) => string = impl.join;
/** Resolves `.`, `..` and doubled separators. */
export const normalize: (path: string) => string = impl.normalize;
/** The way from one path to another. */
export const relative: (from: string, to: string) => string = impl.relative;
/** The absolute path of the parts. */
export const resolve: (...pathSegments: string[]) => string = impl.resolve;
/** The `file:` URL of an absolute path. */
export const toFileUrl: (path: string) => URL = impl.toFileUrl;
/** Separates the parts of a path on this system. */
export const SEPARATOR: "/" | "\\" = impl.SEPARATOR;
/** Separates the entries of a list of paths on this system. */
export const DELIMITER: ":" | ";" = impl.DELIMITER;
