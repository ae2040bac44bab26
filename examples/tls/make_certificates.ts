// Makes certificates to try TLS with: an authority of its own, and a certificate for localhost that it
// has signed. Writes ca.pem, cert.pem and key.pem into examples/tls/certificates.
//
//   deno run --allow-write=examples/tls examples/tls/make_certificates.ts
//
// Not for production: there, take certificates from an authority that your machines trust already.

/** Whoever signs certificates. */
export interface Authority {
  /** What those who trust it are given as `caCerts`. */
  readonly pem: string;
  readonly name: string;
  readonly keys: CryptoKeyPair;
}

/** A certificate and its private key, as `tls` takes them. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const ECDSA_P256 = { name: "ECDSA", namedCurve: "P-256" };
const ECDSA_WITH_SHA256 = sequence(oid("1.2.840.10045.4.3.2"));

/** Makes an authority. */
export async function makeAuthority(name = "Test authority"): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(ECDSA_P256, true, ["sign", "verify"]);
  const maySign = extension("2.5.29.19", true, sequence(der(0x01, [0xff]))); // it may sign others
  const pem = await sign({ subject: name, issuer: name, keys, signer: keys, extension: maySign });
  return { pem, name, keys };
}

/** Makes a certificate for host names and IPv4 addresses, of new keys or of given ones. */
export async function makeCertificate(
  authority: Authority,
  hosts: readonly string[] = ["localhost", "127.0.0.1"],
  given?: CryptoKeyPair,
): Promise<Certificate> {
  const keys = given ?? await crypto.subtle.generateKey(ECDSA_P256, true, ["sign", "verify"]);
  const names = hosts.map((host) =>
    /^[\d.]+$/.test(host) ? der(0x87, host.split(".").map(Number)) : der(0x82, text(host))
  );
  const cert = await sign({
    subject: hosts[0]!,
    issuer: authority.name,
    keys,
    signer: authority.keys,
    extension: extension("2.5.29.17", false, sequence(...names)), // whom it is for
  });
  const key = pem("PRIVATE KEY", await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  return { cert, key };
}

async function sign({ subject, issuer, keys, signer, extension }: {
  subject: string;
  issuer: string;
  keys: CryptoKeyPair;
  signer: CryptoKeyPair;
  extension: number[];
}): Promise<string> {
  const serial = [1, ...crypto.getRandomValues(new Uint8Array(8))];
  const certificate = sequence(
    der(0xa0, der(0x02, [2])), // version 3
    der(0x02, serial),
    ECDSA_WITH_SHA256,
    nameOf(issuer),
    sequence(time(Date.now() - DAY_MS), time(Date.now() + 30 * DAY_MS)),
    nameOf(subject),
    [...new Uint8Array(await crypto.subtle.exportKey("spki", keys.publicKey))],
    der(0xa3, sequence(extension)),
  );
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  const bytes = Uint8Array.from(certificate);
  const signature = new Uint8Array(await crypto.subtle.sign(algorithm, signer.privateKey, bytes));
  const pair = sequence(integer(signature.subarray(0, 32)), integer(signature.subarray(32)));
  const signed = sequence(certificate, ECDSA_WITH_SHA256, der(0x03, [0, ...pair]));
  return pem("CERTIFICATE", Uint8Array.from(signed).buffer);
}

// X.509 is written in DER: a tag, a length, and the contents.

function der(tag: number, contents: readonly number[]): number[] {
  const { length } = contents;
  if (length < 128) return [tag, length, ...contents];
  if (length < 256) return [tag, 0x81, length, ...contents];
  return [tag, 0x82, length >> 8, length & 0xff, ...contents];
}

function sequence(...items: readonly (readonly number[])[]): number[] {
  return der(0x30, items.flat());
}

function oid(dotted: string): number[] {
  const [first, second, ...rest] = dotted.split(".").map(Number);
  const bytes = [first! * 40 + second!];
  for (const number of rest) {
    const digits = [number & 0x7f];
    for (let more = number >> 7; more > 0; more >>= 7) digits.unshift(0x80 | more & 0x7f);
    bytes.push(...digits);
  }
  return der(0x06, bytes);
}

function integer(bytes: Uint8Array): number[] {
  const from = bytes.findIndex((byte) => byte !== 0);
  const digits = [...bytes.subarray(from)];
  return der(0x02, digits[0]! >= 128 ? [0, ...digits] : digits); // it is not negative
}

function nameOf(commonName: string): number[] {
  return sequence(der(0x31, sequence(oid("2.5.4.3"), der(0x0c, text(commonName)))));
}

function time(ms: number): number[] {
  return der(0x17, text(`${new Date(ms).toISOString().replace(/\D/g, "").slice(2, 14)}Z`));
}

function extension(id: string, critical: boolean, value: number[]): number[] {
  return sequence(oid(id), critical ? der(0x01, [0xff]) : [], der(0x04, value));
}

function text(characters: string): number[] {
  return [...new TextEncoder().encode(characters)];
}

function pem(what: string, bytes: ArrayBuffer): string {
  const lines = new Uint8Array(bytes).toBase64().match(/.{1,64}/g)!;
  return [`-----BEGIN ${what}-----`, ...lines, `-----END ${what}-----`, ""].join("\n");
}

if (import.meta.main) {
  const directory = `${import.meta.dirname}/certificates`;
  const authority = await makeAuthority();
  const { cert, key } = await makeCertificate(authority);
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeTextFile(`${directory}/ca.pem`, authority.pem);
  await Deno.writeTextFile(`${directory}/cert.pem`, cert);
  await Deno.writeTextFile(`${directory}/key.pem`, key, { mode: 0o600 });
}
