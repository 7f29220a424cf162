// A QR code (ISO/IEC 18004): bytes, error correction M, versions 1 to 10. Pure.

// For each version: data codewords, check codewords of each block, blocks, the centres of the alignment patterns.
/** @type {[number, number, number, number[]][]} */
const VERSIONS = [
  [16, 10, 1, []], [28, 16, 1, [6, 18]], [44, 26, 1, [6, 22]], [64, 18, 2, [6, 26]], [86, 24, 2, [6, 30]],
  [108, 16, 4, [6, 34]], [124, 18, 4, [6, 22, 38]], [154, 22, 4, [6, 24, 42]], [182, 22, 5, [6, 26, 46]], [216, 26, 5, [6, 28, 50]],
];

/** The code of a text: rows of modules, true is dark, without the quiet zone of 4; null if the text is too long. */
export function qr(text) {
  const bytes = [...new TextEncoder().encode(text)];
  const version = 1 + VERSIONS.findIndex(([room], index) => bytes.length + (index < 9 ? 2 : 3) <= room);
  return version ? draw(codewords(bytes, version).map(byte).join(""), version) : null;
}

/** The same as the `d` of an SVG path, one unit a module. */
export function path(code) {
  return code.map((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : "")).join("")).join("");
}

function codewords(bytes, version) {
  const [room, check, count] = VERSIONS[version - 1];
  const length = version < 10 ? [bytes.length] : [bytes.length >> 8, bytes.length & 255];
  const data = `0100${[...length, ...bytes].map(byte).join("")}0000`.match(/.{8}/g).map((word) => parseInt(word, 2));
  for (let pad = 0xec; data.length < room; pad ^= 0xfd) data.push(pad);
  // In blocks, the longer ones last; interleaved: the first codewords of all blocks, the second ones, …
  const blocks = Array.from({ length: count }, (_, index) => data.splice(0, Math.floor((room + index) / count)));
  const across = (lists) => lists.at(-1).flatMap((_, place) => lists.flatMap((list) => list[place] ?? []));
  return [...across(blocks), ...across(blocks.map((block) => remainder(block, check)))];
}

// The remainder of a block, as a polynomial over GF(256), divided by the generator (Reed and Solomon).
function remainder(block, count) {
  let generator = [1];
  for (let root = 1; generator.length <= count; root = times(root, 2)) {
    generator = [...generator, 0].map((value, place) => value ^ times(generator[place - 1] ?? 0, root));
  }
  const left = [...block, ...generator.slice(1).fill(0)];
  for (const index of block.keys()) {
    const factor = left[index];
    generator.forEach((value, place) => (left[index + place] ^= times(value, factor)));
  }
  return left.slice(-count);
}

function times(a, b) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) product = (product << 1) ^ ((product >> 7) * 0x11d) ^ (((b >> bit) & 1) * a);
  return product;
}

function draw(bits, version) {
  const size = 17 + 4 * version;
  const code = Array.from({ length: size }, () => new Array(size).fill(null));
  const set = (x, y, dark) => code[y]?.[x] !== undefined && (code[y][x] = Boolean(dark));
  const square = (x, y, radius, light) => {
    for (let dy = -radius; dy <= radius; dy += 1) {
      for (let dx = -radius; dx <= radius; dx += 1) set(x + dx, y + dy, !light.includes(Math.max(Math.abs(dx), Math.abs(dy))));
    }
  };
  for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]]) square(x, y, 4, [2, 4]);
  const centres = VERSIONS[version - 1][3];
  for (const x of centres) for (const y of centres) if (code[y][x] === null) square(x, y, 2, [1]);
  for (let place = 8; place < size - 8; place += 1) {
    set(place, 6, place % 2 === 0);
    set(6, place, place % 2 === 0);
  }
  // The format, twice: 0 for the level M, and for the mask. From version 7 on the version, twice.
  const format = 0x5412;
  for (let index = 0; index < 15; index += 1) {
    const dark = (format >> index) & 1;
    set(8, index < 8 ? index + Number(index > 5) : size - 15 + index, dark);
    set(index < 8 ? size - 1 - index : 14 - index + Number(index < 9), 8, dark);
  }
  set(8, size - 8, true);
  for (let index = 0; version > 6 && index < 18; index += 1) {
    const [x, y, dark] = [Math.floor(index / 3), size - 11 + (index % 3), (checked(version) >> index) & 1];
    set(x, y, dark);
    set(y, x, dark);
  }
  // The codewords go up and down in columns of two, from the right. The mask inverts every other module, so that there are
  // no large areas; a reader takes any of the eight masks.
  let next = 0;
  for (let right = size - 1, up = true; right > 0; right -= right === 8 ? 3 : 2, up = !up) {
    for (let step = 0; step < 2 * size; step += 1) {
      const x = right - (step % 2);
      const y = up ? size - 1 - (step >> 1) : step >> 1;
      if (code[y][x] === null) code[y][x] = (bits[next++] === "1") !== ((x + y) % 2 === 0);
    }
  }
  return code;
}

// The version, followed by its remainder modulo a generator over GF(2).
function checked(version) {
  let left = version;
  for (let bit = 0; bit < 12; bit += 1) left = (left << 1) ^ ((left >> 11) * 0x1f25);
  return (version << 12) | left;
}

function byte(value) {
  return value.toString(2).padStart(8, "0");
}
