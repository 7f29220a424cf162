// Chance that is the same each time.

export function chance(seed) {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const number = (below) => Math.floor(next() * below);
  return { number, pick: (list) => list[number(list.length)] };
}
