// Finding text whatever its capitals, accents, hyphens and line ends, and knowing where it stood.
(function () {
  'use strict';
  const view = window.archiveView;

  // Accents and vowel points of scripts that are read without them, and characters that are not seen. Signs of Indic
  // scripts stay: there they are letters.
  const REMOVED =
    /[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0640\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u002d\u2010\u2011\u00ac\u2e17]/g;
  const SAME = {
    æ: 'ae', œ: 'oe', ß: 'ss', ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', ı: 'i', ς: 'σ',
    '’': "'", '‘': "'", 'ʼ': "'", '′': "'", '“': '"', '”': '"', '„': '"', '«': '"', '»': '"', '–': ' ', '—': ' ', '\u05be': ' '
  };
  const known = new Map();

  function foldCharacter(character) {
    let folded = known.get(character);
    if (folded === undefined) {
      folded = Array.from(character.toLowerCase().normalize('NFKD').replace(REMOVED, ''), (c) => SAME[c] || c).join('');
      folded = folded.replace(/\s+/g, ' ');
      known.set(character, folded);
    }
    return folded;
  }

  // The folded text; with `places`, also where in the original each of its units begins and ends.
  function fold(text, places) {
    if (!places) return Array.from(text, foldCharacter).join('').replace(/ +/g, ' ').trimStart();
    let folded = '';
    let at = 0;
    for (const character of text) {
      const end = at + character.length;
      for (const unit of foldCharacter(character).split('')) {
        if (unit === ' ' && (folded === '' || folded.endsWith(' '))) continue;
        folded += unit;
        places.push([at, end]);
      }
      // An accent belongs to the letter before it.
      if (places.length && /\p{M}/u.test(character)) places[places.length - 1][1] = end;
      at = end;
    }
    return folded;
  }

  // A word that is parted at the end of a line goes on in the next one.
  const PARTED = /\p{L}[-\u2010\u2011\u00ac\u2e17=\u00ad]\s*$/u;

  function body(line) {
    return PARTED.test(line) ? line.replace(/.\s*$/u, '') : line;
  }

  // Lines of a page, joined so that phrases and parted words are found across their ends.
  function join(lines) {
    let text = '';
    const starts = [];
    for (const line of lines) {
      starts.push(text.length);
      const folded = fold(body(line)).trimEnd();
      if (folded) text += folded + (PARTED.test(line) ? '' : ' ');
    }
    return { text, starts, lines };
  }

  // Every place of `needle`, which is folded, as pieces {line, start, end} in the original lines.
  function find(joined, needle) {
    const found = [];
    if (!needle) return found;
    for (let at = joined.text.indexOf(needle); at >= 0; at = joined.text.indexOf(needle, at + needle.length)) {
      found.push(pieces(joined, at, at + needle.length));
    }
    return found;
  }

  function lineAt(starts, position) {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  function pieces(joined, begin, end) {
    const found = [];
    const last = lineAt(joined.starts, end - 1);
    for (let line = lineAt(joined.starts, begin); line <= last; line++) {
      const places = [];
      fold(body(joined.lines[line]), places);
      const from = Math.max(begin - joined.starts[line], 0);
      const to = Math.min(end - joined.starts[line], places.length) - 1;
      if (to >= from) found.push({ line, start: places[from][0], end: places[to][1] });
    }
    return found;
  }

  view.fold = (text) => fold(text).trim();
  view.join = join;
  view.find = find;

  // A text of the interface, filled in; `count` chooses between one and several.
  view.say = function (key, values, count) {
    if (count !== undefined) {
      key += count === 1 ? '.one' : '.other';
      values = Object.assign({ n: count }, values);
    }
    return view.texts[key].replace(/\{(\w+)\}/g, (whole, name) => (values && name in values ? values[name] : whole));
  };
})();
