import { assertEquals, assertRejects } from "@std/assert";
import { ChildStream } from "../../src/transfer/child_stream.ts";
import { type Pair, testByteStreams } from "../contract/transport_contract.ts";
import { within } from "../helpers/soon.ts";

/** A process that copies what it reads to what it writes. */
function copier(): Deno.ChildProcess {
  return new Deno.Command("cat", { stdin: "piped", stdout: "piped" }).spawn();
}

/** Between the two ends there is a process for each direction. */
function pair(): Promise<Pair> {
  const [there, back] = [copier(), copier()];
  return Promise.resolve({
    ends: [
      new ChildStream(back.stdout, there.stdin),
      new ChildStream(there.stdout, back.stdin),
    ],
    async close() {
      for (const child of [there, back]) {
        try {
          child.kill("SIGKILL");
        } catch {
          // It has ended with its pipes.
        }
      }
      await Promise.all([there.status, back.status]);
    },
  });
}

const ignore = Deno.build.os === "windows"; // it has no cat
if (!ignore) testByteStreams("the pipes of a process", pair);

Deno.test({
  name: "ChildStream ends what is pending when its process is killed",
  ignore,
  async fn() {
    const child = copier();
    const stream = new ChildStream(child.stdout, child.stdin);
    const reading = stream.read(new Uint8Array(9));
    child.kill("SIGKILL");
    assertEquals(await within("the end of the read", reading), null);
    const writing = assertRejects(async () => {
      for (;;) await stream.write(new Uint8Array(1 << 20));
    });
    await within("the end of the write", writing);
    stream.close();
    await child.status;
  },
});

Deno.test({
  name: "`ChildStream.close()` ends a process that reads until the end",
  ignore,
  async fn() {
    const child = copier();
    new ChildStream(child.stdout, child.stdin).close();
    assertEquals((await within("its end", child.status)).success, true);
  },
});
