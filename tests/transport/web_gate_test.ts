import { assertEquals } from "@std/assert";
import { agreedProtocol, webGate, type WebRules } from "../../src/transport/web_gate.ts";
import { isToken, tokenProtocol } from "../../src/transport/web_token.ts";

const OPEN: WebRules = { origins: undefined, tokens: undefined };

/** What the gate answers, by status; 101 for those it lets in. */
async function knock(
  rules: Partial<WebRules>,
  url: string,
  headers: Record<string, string> = {},
): Promise<number> {
  const request = {
    method: "GET",
    url,
    headers: new Headers({ upgrade: "websocket", ...headers }),
  };
  return (await webGate({ ...OPEN, ...rules })(request))?.status ?? 101;
}

Deno.test("webGate() lets in who is no page", async () => {
  assertEquals(await knock({}, "http://example.com/"), 101);
  assertEquals(await knock({}, "http://example.com/", { upgrade: "WebSocket" }), 101);
  assertEquals(await knock({}, "http://example.com/", { upgrade: "h2c, websocket" }), 101);
  assertEquals(await knock({ origins: [] }, "http://localhost:1/"), 101);
});

Deno.test("webGate() answers 426 to what asks for no WebSocket, whoever it is", async () => {
  for (const upgrade of ["", "h2c", "websockets"]) {
    const headers = { upgrade, origin: "http://evil.example" };
    assertEquals(await knock({ tokens: ["t"] }, "http://localhost/", headers), 426);
  }
});

Deno.test("webGate() lets in pages of the request's own origin alone, by default", async () => {
  const from = (origin: string, url: string) => knock({}, url, { origin });
  assertEquals(await from("http://localhost:8000", "http://localhost:8000/daffi"), 101);
  assertEquals(await from("http://127.0.0.1:8000", "http://127.0.0.1:8000/"), 101);
  assertEquals(await from("http://[::1]:8000", "http://[::1]:8000/"), 101);
  assertEquals(await from("http://192.168.1.5", "http://192.168.1.5/"), 101);
  assertEquals(await from("https://app.example", "https://app.example/daffi"), 101);
  assertEquals(await from("https://app.example", "http://app.example/"), 101); // behind a proxy
  assertEquals(await from("http://evil.example", "http://localhost:8000/"), 403);
  assertEquals(await from("http://localhost:9000", "http://localhost:8000/"), 403);
  assertEquals(await from("https://app.example.evil.example", "https://app.example/"), 403);
  assertEquals(await from("null", "http://localhost:8000/"), 403);
  assertEquals(await from("", "http://localhost:8000/"), 403);
  assertEquals(await from("garbage", "http://localhost:8000/"), 403);
});

Deno.test("webGate() refuses a page whose request names no host", async () => {
  const headers = { origin: "http://localhost:8000" };
  for (const url of ["http://x y/", "http://[/", "http://a:99999999/"]) {
    assertEquals(await knock({}, url, headers), 403, url);
  }
});

Deno.test("webGate() does not take a name without certificate for its own", async () => {
  // evil.example points to 127.0.0.1 by now, and its page asks for what it takes for itself.
  const headers = { origin: "http://evil.example:8000" };
  assertEquals(await knock({}, "http://evil.example:8000/", headers), 403);
  for (const name of ["127.evil.example", "localhost.evil.example", "1.2.3.4.evil", "evil1"]) {
    const url = `http://${name}:8000`;
    assertEquals(await knock({}, url, { origin: url }), 403);
  }
});

Deno.test("webGate() lets in pages of listed origins, and no others", async () => {
  const rules = { origins: ["https://app.example", "null"] };
  const from = (origin: string) => knock(rules, "http://localhost:8000/", { origin });
  assertEquals(await from("https://app.example"), 101);
  assertEquals(await from("null"), 101);
  for (
    const origin of ["http://app.example", "https://app.example:444", "http://localhost:8000"]
  ) {
    assertEquals(await from(origin), 403);
  }
  assertEquals(
    await knock({ origins: ["*"] }, "http://localhost/", { origin: "http://evil.example" }),
    101,
  );
});

Deno.test("webGate() asks for one of the tokens, of pages and others", async () => {
  const rules = { tokens: ["first", "zweites Töken ✓"] };
  const offering = (protocols: string) =>
    knock(rules, "http://localhost/", { "sec-websocket-protocol": protocols });
  for (const token of rules.tokens) {
    assertEquals(await offering(`daffi, ${tokenProtocol(token)}`), 101);
    assertEquals(await offering(`${tokenProtocol(token)},daffi`), 101);
  }
  for (const token of ["firs", "first ", "First", "", "f"]) {
    assertEquals(await offering(`daffi, ${tokenProtocol(token)}`), 401, token);
  }
  assertEquals(await offering("daffi"), 401);
  assertEquals(await offering("daffi, first"), 401);
  assertEquals(await knock(rules, "http://localhost/"), 401);
});

Deno.test("tokenProtocol() makes of any text what may stand in a header", () => {
  assertEquals(tokenProtocol("~~~???"), "daffi.token.fn5-Pz8_");
  assertEquals(tokenProtocol("~~~~~~??????"), "daffi.token.fn5-fn5-Pz8_Pz8_");
  assertEquals(tokenProtocol("ö"), "daffi.token.w7Y");
  assertEquals(tokenProtocol("a"), "daffi.token.YQ");
  assertEquals(tokenProtocol("✓".repeat(4_096)), `daffi.token.${"4pyT".repeat(4_096)}`);
});

Deno.test("isToken() is true for texts that a header has room for, and that can be sent", () => {
  for (const token of ["a", "zweites Töken ✓", "\u{1f511}", "x".repeat(4_096)]) {
    assertEquals(isToken(token), true, token);
  }
  for (const other of ["", "x".repeat(4_097), "\ud83d", 5, null, undefined, ["a"]]) {
    assertEquals(isToken(other), false, String(other));
  }
});

Deno.test("agreedProtocol() agrees to this module's protocol only, and never to a token", () => {
  const agreed = (protocols: string) =>
    agreedProtocol({ headers: new Headers({ "sec-websocket-protocol": protocols }) } as Request);
  assertEquals(agreed("daffi.token.YQ, daffi"), "daffi");
  assertEquals(agreed("chat, daffi.token.YQ"), undefined);
});
