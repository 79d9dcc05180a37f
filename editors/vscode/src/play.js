// The arguments of `mamc play`.

/** For a file, from a bar (a number from 1, or nothing), with the user's further arguments. */
exports.playArguments = function (file, bar, more) {
  const from = Number.isInteger(bar) && bar > 1 ? ['--from', String(bar)] : [];
  return ['play', ...more, ...from, '--', file];
};
