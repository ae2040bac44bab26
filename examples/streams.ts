// Streams both ways. They are as fast as their slower end: nothing piles up in between.
//
//   deno run --allow-net examples/streams.ts
import { callback, currentCall, Global, STREAM } from "@daffi/core";

// A callback that is a generator answers with a stream.
callback(async function* countTo(last: number) {
  try {
    for (let n = 1; n <= last; n++) yield await Promise.resolve(n);
  } finally {
    console.log("countTo is over");
  }
});

// A callback can take a stream, and answer before it has ended or with a stream of its own.
callback(async function total(numbers: AsyncIterable<number>) {
  let sum = 0;
  for await (const n of numbers) sum += n;
  return sum;
});
callback(async function* double(numbers: AsyncIterable<number>) {
  for await (const n of numbers) yield n * 2;
});

// Or it is called once for each item, in order.
callback(function store(row: { id: number }) {
  console.log(`row ${row.id} from ${currentCall()!.caller}`);
});

// The second Global would be another process in a real program.
await using server = new Global({ processName: "server", initController: true, host: "localhost" });
await server.ready;
await using client = new Global({ processName: "client", host: "localhost", port: server.port });

const seen = [];
for await (const n of client.call.countTo(5)) seen.push(n);
console.log("all:", seen.join(" "));

// Leaving the loop stops the generator over there.
for await (const n of client.call.countTo(1_000_000_000)) {
  if (n === 3) break;
}

function* upTo(last: number) {
  for (let n = 1; n <= last; n++) yield n;
}
console.log("total:", await client.call.total(upTo(1000)));

const doubled = [];
for await (const n of client.call.double(upTo(4))) doubled.push(n);
console.log("doubled:", doubled.join(" "));

// STREAM resolves when every process that offers the callback has taken all items.
await client.call.store([{ id: 1 }, { id: 2 }, { id: 3 }]).exec(STREAM);
console.log("stored");
