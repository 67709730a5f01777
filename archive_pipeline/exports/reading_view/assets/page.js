// A page: lines of image and text belong together, only the doubtful ones on wish, marks of a search, keys.
(function () {
  'use strict';
  const view = window.archiveView;
  const byId = (id) => document.getElementById(id);
  const lines = Array.from(document.querySelectorAll('.line'));
  const shapes = new Map();
  document.querySelectorAll('[data-line]').forEach((link) => shapes.set(link.dataset.line, link));
  const desk = byId('desk');
  const beside = matchMedia('(min-width: 60rem)');
  let chosen = null; // stays until another one is
  let active = null; // under the pointer, else the chosen one

  // One stop of the Tab key for all lines; j and k go on from there.
  lines.forEach((line, index) => line.setAttribute('tabindex', index ? '-1' : '0'));

  function light(line) {
    if (line === active) return;
    if (active) {
      active.classList.remove('active');
      if (shapes.has(active.id)) shapes.get(active.id).classList.remove('active');
    }
    active = line;
    if (!line) return;
    line.classList.add('active');
    if (shapes.has(line.id)) shapes.get(line.id).classList.add('active');
  }

  function choose(line) {
    if (chosen) chosen.classList.remove('chosen');
    chosen = line;
    if (line) {
      line.classList.add('chosen');
      lines.forEach((each) => each.setAttribute('tabindex', each === line ? '0' : '-1'));
    }
    light(line);
  }

  function showShape(line) {
    const shape = shapes.get(line.id);
    if (!shape || !desk) return;
    const inner = shape.getBoundingClientRect();
    const outer = desk.getBoundingClientRect();
    const margin = 40;
    const off = (low, high, from, to) =>
      low >= from && high <= to ? 0 : low < from || high - low > to - from ? low - from - margin : high - to + margin;
    const left = off(inner.left, inner.right, outer.left, outer.right);
    const top = off(inner.top, inner.bottom, outer.top, outer.bottom);
    if (left || top) desk.scrollBy({ left, top });
  }

  function showLine(line) {
    line.scrollIntoView({ block: 'nearest' });
  }

  const lineOf = (target) => {
    const shape = target.closest && target.closest('[data-line]');
    return shape ? byId(shape.dataset.line) : target.closest && target.closest('.line');
  };

  document.addEventListener('mouseover', (event) => {
    const line = lineOf(event.target);
    if (!line) {
      light(chosen);
    } else if (line !== active) {
      light(line);
      // Where image and text lie one above the other, the pointer's own place would move away.
      if (event.target.closest('.line')) showShape(line);
      else if (beside.matches) showLine(line);
    }
  });
  document.addEventListener('focusin', (event) => {
    const line = event.target.closest('.line');
    if (line && line !== chosen) choose(line);
    if (line) showShape(line);
  });
  document.addEventListener('click', (event) => {
    const shape = event.target.closest('[data-line]');
    if (!shape) {
      const line = event.target.closest('.line');
      if (line && !event.target.closest('details')) choose(line);
      return;
    }
    event.preventDefault();
    const line = byId(shape.dataset.line);
    line.classList.remove('kept-away');
    line.focus();
    try {
      history.replaceState(null, '', location.search + '#' + line.id);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
    }
  });

  // Only what is doubtful
  const only = byId('only');
  const threshold = byId('threshold');

  function filter() {
    const below = Number(threshold.value);
    let doubtful = 0;
    lines.forEach((line) => {
      const isDoubtful = 'percent' in line.dataset && Number(line.dataset.percent) < below;
      doubtful += isDoubtful;
      const away = only.checked && !isDoubtful;
      line.classList.toggle('kept-away', away);
      if (shapes.has(line.id)) shapes.get(line.id).classList.toggle('kept-away', away);
    });
    document.querySelectorAll('.region').forEach((region) => {
      region.classList.toggle('kept-away', !region.querySelector('.line:not(.kept-away)'));
    });
    byId('threshold-value').textContent = below + ' %';
    byId('filter-status').textContent = view.say('filter', { all: lines.length }, doubtful);
    const seen = visible();
    if (seen.length && !seen.includes(chosen)) {
      choose(null);
      lines.forEach((line) => line.setAttribute('tabindex', line === seen[0] ? '0' : '-1'));
    }
  }

  const visible = () => lines.filter((line) => !line.classList.contains('kept-away'));

  if (only) {
    const value = Number(view.remembered('threshold'));
    if (value >= Number(threshold.min) && value <= Number(threshold.max)) threshold.value = String(value);
    only.checked = view.remembered('only') === 'on';
    only.addEventListener('change', () => {
      view.remember('only', only.checked ? 'on' : 'off');
      filter();
    });
    threshold.addEventListener('input', () => {
      view.remember('threshold', threshold.value);
      filter();
    });
    byId('filter').addEventListener('submit', (event) => event.preventDefault());
    filter();
  }

  // Search: on the document's page, with marks here
  byId('search-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const query = byId('search').value.trim();
    if (query) location.href = 'index.html#q=' + encodeURIComponent(query);
  });

  // Text and its words' spans, as one string of which a piece is marked.
  function mark(words, start, end) {
    const walker = document.createTreeWalker(words, NodeFilter.SHOW_TEXT);
    const nodes = [];
    for (let at = 0, node = walker.nextNode(); node; node = walker.nextNode()) {
      const from = Math.max(start - at, 0);
      const to = Math.min(end - at, node.length);
      at += node.length;
      if (from < to) nodes.push([node, from, to]);
    }
    nodes.forEach(([node, from, to]) => {
      const middle = from ? node.splitText(from) : node;
      if (to - from < middle.length) middle.splitText(to - from);
      const made = document.createElement('mark');
      middle.replaceWith(made);
      made.append(middle);
    });
  }

  function unmark() {
    document.querySelectorAll('#transcript mark').forEach((each) => {
      const parent = each.parentNode;
      each.replaceWith(...each.childNodes);
      parent.normalize();
    });
    document.querySelectorAll('a.found').forEach((each) => each.classList.remove('found'));
    byId('marked').hidden = true;
  }

  function showMarks(query) {
    const read = lines.filter((line) => !line.querySelector('.empty'));
    const words = read.map((line) => line.querySelector('.words'));
    const joined = view.join(words.map((each) => each.textContent));
    const phrase = view.fold(query);
    let found = view.find(joined, phrase);
    if (!found.length) found = [].concat(...phrase.split(' ').filter((w) => w.length > 1).map((w) => view.find(joined, w)));
    // From the last to the first, so that places in a line that is being marked stay right.
    const pieces = [].concat(...found).sort((a, b) => b.line - a.line || b.start - a.start);
    pieces.forEach((piece, index) => {
      const after = pieces[index - 1];
      const end = after && after.line === piece.line ? Math.min(piece.end, after.start) : piece.end;
      mark(words[piece.line], piece.start, end);
      if (shapes.has(read[piece.line].id)) shapes.get(read[piece.line].id).classList.add('found');
    });
    byId('search').value = query;
    const bar = byId('marked');
    bar.hidden = false;
    byId('marked-status').textContent = found.length
      ? view.say('marked', { query }, found.length)
      : view.say('marked.none', { query });
    const back = document.createElement('a');
    back.href = 'index.html#q=' + encodeURIComponent(query);
    back.textContent = view.say('back');
    const remove = document.createElement('button');
    remove.type = 'button';
    remove.textContent = view.say('unmark');
    remove.addEventListener('click', unmark);
    bar.append(back, ' ', remove);
  }

  const query = new URLSearchParams(location.search).get('q');
  if (query && lines.length) showMarks(query);

  function fromAddress() {
    const line = lines.find((each) => '#' + each.id === location.hash);
    if (!line) return;
    line.classList.remove('kept-away');
    line.closest('.region').classList.remove('kept-away');
    line.focus({ preventScroll: true });
    line.scrollIntoView({ block: 'center' });
  }
  addEventListener('hashchange', fromAddress);
  // The image has its height from its attributes, so nothing moves later.
  fromAddress();

  // Size of the image
  const WHOLE = -1;
  const SIZES = 5;
  let size = 0;
  function resize(step) {
    if (!byId('larger')) return;
    size = Math.min(Math.max(size + step, WHOLE), SIZES);
    desk.classList.toggle('size-whole', size === WHOLE);
    for (let each = 1; each <= SIZES; each++) desk.classList.toggle('size-' + each, each === size);
    byId('smaller').disabled = size === WHOLE;
    byId('larger').disabled = size === SIZES;
    if (chosen) showShape(chosen);
  }
  if (byId('larger')) {
    byId('larger').addEventListener('click', () => resize(1));
    byId('smaller').addEventListener('click', () => resize(-1));
    resize(0);
  }

  function step(by) {
    const seen = visible();
    if (!seen.length) return;
    const at = seen.indexOf(chosen);
    const next = seen[at < 0 ? 0 : Math.min(Math.max(at + by, 0), seen.length - 1)];
    next.focus({ preventScroll: true });
    showLine(next);
  }

  function turn(relation) {
    const link = document.querySelector('a[rel=' + relation + ']');
    if (link) location.href = link.href;
  }

  Object.assign(view.keys, {
    ArrowLeft: () => turn('prev'),
    ArrowRight: () => turn('next'),
    j: () => step(1),
    k: () => step(-1),
    '+': () => resize(1),
    '-': () => resize(-1),
    Escape: () => {
      if (document.activeElement) document.activeElement.blur();
      choose(null);
    }
  });
})();
