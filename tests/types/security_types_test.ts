import { assertEquals } from "@std/assert";
import type { AuthorizationRequest, Authorize, GlobalOptions } from "../../mod.ts";
import type { Equal } from "./equal.ts";

/** A value that only has to compile. */
const options = (...given: GlobalOptions[]) => given;

options({ secret: "s" }, { secret: undefined }, { insecure: true });
options({ tls: { cert: "c", key: "k" } }, { tls: {} }, { tls: { caCerts: ["c"] } });
// @ts-expect-error a certificate without its key
options({ tls: { cert: "c" } });
// @ts-expect-error a controller trusts nobody by certificate
options({ tls: { cert: "c", key: "k", rejectUnauthorized: false } });
// @ts-expect-error there is no way around verification
options({ tls: { rejectUnauthorized: false } });
// @ts-expect-error it is text
options({ secret: new Uint8Array(32) });

options({ authorize: () => true }, { authorize: () => Promise.resolve(false) });
options({ authorize: ({ action }) => action === "join" });
// @ts-expect-error a yes or a no
options({ authorize: () => "yes" });
// @ts-expect-error there is no such action
options({ authorize: ({ action }) => action === "leave" });

const actions: Equal<
  AuthorizationRequest["action"],
  "join" | "offer" | "call" | "schedule" | "transfer" | "stopNodes"
> = true;

const authorize: Authorize = (request) => {
  switch (request.action) {
    case "join":
      return request.address === "127.0.0.1" && request.callbacks.length === 0;
    case "offer":
      // @ts-expect-error only calls have a caller
      return request.caller === "";
    case "call":
      return request.caller === request.processName || request.callbackName === "f";
    case "schedule":
      return request.operation !== "create" || request.callbackName !== undefined;
    case "transfer":
      return request.caller === "a";
    case "stopNodes":
      return request.processName === "main";
  }
};

Deno.test("the types of the security options say what may be given", () => {
  assertEquals([actions, typeof authorize], [true, "function"]);
});
