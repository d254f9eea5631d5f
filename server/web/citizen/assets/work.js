// Under pressure the server asks for a proof of work before it takes a rating: a number N for which
// SHA-256(token ":" N) begins with so many zero bits. This finds it, a slice at a time so that the page stays alive, and sends
// the form by itself. SHA-256 (FIPS 180-4) is written out because browsers offer it only over TLS, and offices' networks have
// pages without.
"use strict";
(() => {
  const form = document.getElementById("work");
  const token = form.dataset.token, bits = Number(form.dataset.bits);
  if (!/^[\w-]{1,40}$/.test(token) || !(bits > 0 && bits <= 32)) return;

  const K = new Int32Array(64), start = new Int32Array(8);
  const root = (n, power) => { const r = Math.pow(n, power); return ((r - Math.floor(r)) * 4294967296) | 0; };
  for (let n = 2, i = 0; i < 64; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) { prime = false; break; }
    if (!prime) continue;
    if (i < 8) start[i] = root(n, 1 / 2);
    K[i++] = root(n, 1 / 3);
  }
  const W = new Int32Array(64), block = new Uint8Array(64);

  // first answers the first word of the hash of one block that holds a message of so many bytes.
  const first = length => {
    block.fill(0, length);
    block[length] = 128;
    block[62] = (length * 8) >> 8;
    block[63] = (length * 8) & 255;
    for (let i = 0; i < 16; i++) W[i] = block[4 * i] << 24 | block[4 * i + 1] << 16 | block[4 * i + 2] << 8 | block[4 * i + 3];
    for (let i = 16; i < 64; i++) {
      const x = W[i - 15], y = W[i - 2];
      W[i] = W[i - 16] + W[i - 7] + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3) + ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10) | 0;
    }
    let [a, b, c, d, e, f, g, h] = start;
    for (let i = 0; i < 64; i++) {
      const s = h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + (e & f ^ ~e & g) + K[i] + W[i] | 0;
      const t = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ a & c ^ b & c) | 0;
      h = g; g = f; f = e; e = d + s | 0; d = c; c = b; b = a; a = s + t | 0;
    }
    return a + start[0] | 0;
  };

  const prefix = token + ":";
  for (let i = 0; i < prefix.length; i++) block[i] = prefix.charCodeAt(i);
  const proves = n => {
    const digits = String(n);
    for (let i = 0; i < digits.length; i++) block[prefix.length + i] = digits.charCodeAt(i);
    return Math.clz32(first(prefix.length + digits.length)) >= bits;
  };

  document.getElementById("wait-words").hidden = true;
  document.getElementById("work-words").hidden = false;
  document.getElementById("work-progress").hidden = false;
  document.getElementById("work-words").setAttribute("role", "status");
  let n = 0;
  const slice = () => {
    const until = performance.now() + 25;
    do {
      for (const to = n + 500; n < to; n++) {
        if (!proves(n)) continue;
        form.elements.proof_of_work.value = n;
        form.submit();
        return;
      }
    } while (performance.now() < until);
    setTimeout(slice);
  };
  slice();
})();
