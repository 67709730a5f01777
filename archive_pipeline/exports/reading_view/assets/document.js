// The document's page: search, and the pages that need an eye.
(function () {
  'use strict';
  const view = window.archiveView;
  const byId = (id) => document.getElementById(id);
  const form = byId('search-form');
  const input = byId('search');
  const status = byId('search-status');
  const results = byId('search-results');
  const AT_FIRST = 100;
  let loading = null;
  let timer = 0;

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.append(...children);
    return made;
  }

  // fetch does not work in a folder, scripts do.
  function loadPiece(number) {
    const file = 'search/' + String(number).padStart(4, '0') + '.js';
    return new Promise((resolve, reject) => {
      const script = element('script', { src: file });
      script.addEventListener('load', resolve);
      script.addEventListener('error', () => reject(new Error(file)));
      document.head.append(script);
    });
  }

  async function loadAll() {
    for (let number = 1; number <= Number(form.dataset.pieces); number++) await loadPiece(number);
    view.pages.forEach((page) => page.push(view.join(page[2].map((line) => line[2]))));
  }

  function load() {
    loading = loading || loadAll();
    return loading;
  }

  // Letters of scripts that write a word with one are enough alone.
  const longEnough = (needle) => needle.length > 1 || /[^\u0000-\u2e7f]/.test(needle);

  function search(query) {
    const phrase = view.fold(query);
    const together = collect((joined) => view.find(joined, phrase));
    if (together.length) return { places: together, apart: false };
    const words = phrase.split(' ').filter(longEnough);
    if (words.length < 2) return { places: [], apart: false };
    const apart = collect((joined) => {
      const found = words.map((word) => view.find(joined, word));
      return found.every((each) => each.length) ? [].concat(...found).sort((a, b) => a[0].line - b[0].line) : [];
    });
    return { places: apart, apart: true };
  }

  function collect(findIn) {
    const places = [];
    for (const page of view.pages) {
      for (const pieces of findIn(page[3])) places.push({ page, pieces });
    }
    return places;
  }

  function show(query) {
    results.textContent = '';
    const { places, apart } = search(query);
    if (!places.length) {
      status.textContent = view.say('none', { query });
      return;
    }
    const pages = new Set(places.map((place) => place.page));
    const found = view.say('pages', { places: view.say('places', {}, places.length) }, pages.size);
    status.textContent = apart ? view.say('apart', { found }) : found + '.';
    list(places.slice(0, AT_FIRST), query);
    if (places.length > AT_FIRST) {
      const more = element('button', { type: 'button' }, view.say('more', { n: places.length }));
      more.addEventListener('click', () => {
        const next = places[AT_FIRST];
        results.textContent = '';
        list(places, query);
        const links = results.querySelectorAll('a');
        if (next) links[AT_FIRST].focus();
      });
      results.append(more);
    }
  }

  function list(places, query) {
    let items = null;
    let shown = null;
    for (const place of places) {
      if (place.page !== shown) {
        shown = place.page;
        items = element('ol', {});
        results.append(element('h3', {}, view.say('page', { n: shown[1] })), items);
      }
      const [anchor, number] = shown[2][place.pieces[0].line];
      const address = shown[0] + '.html?q=' + encodeURIComponent(query) + '#' + anchor;
      const link = element('a', { href: address }, view.say('line', { n: number }));
      items.append(element('li', {}, link, ' ', snippet(shown, place.pieces)));
    }
  }

  function snippet(page, pieces) {
    const made = element('span', { class: 'snippet', lang: '', dir: 'auto' });
    pieces.forEach((piece, index) => {
      const text = page[2][piece.line][2];
      const from = Math.max(0, piece.start - 60);
      const to = Math.min(text.length, piece.end + 80);
      if (index) made.append(element('span', { class: 'line-end' }, ' | '));
      made.append((from ? '…' : '') + text.slice(from, piece.start));
      made.append(element('mark', {}, text.slice(piece.start, piece.end)));
      made.append(text.slice(piece.end, to) + (to < text.length ? '…' : ''));
    });
    return made;
  }

  async function run() {
    const query = input.value.trim();
    try {
      history.replaceState(null, '', query ? '#q=' + encodeURIComponent(query) : location.pathname + location.search);
    } catch (error) {
      // Some browsers forbid it to files; then only the way back to these results is lost.
      if (!(error instanceof DOMException)) throw error;
    }
    if (!longEnough(view.fold(query))) {
      results.textContent = '';
      status.textContent = query ? view.say('short') : '';
      return;
    }
    if (!view.pages.length) status.textContent = view.say('loading');
    try {
      await load();
    } catch (error) {
      loading = null;
      view.pages.length = 0;
      status.textContent = view.say('missing', { file: error.message });
      return;
    }
    if (query === input.value.trim()) show(query);
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    clearTimeout(timer);
    run();
  });
  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(run, 200);
  });
  view.keys.Escape = () => {};

  function fromAddress() {
    const match = /^#q=(.+)$/.exec(location.hash);
    if (!match) return;
    try {
      input.value = decodeURIComponent(match[1]);
    } catch (error) {
      if (!(error instanceof URIError)) throw error;
      input.value = match[1];
    }
    run();
  }
  addEventListener('hashchange', fromAddress);
  fromAddress();

  const eye = byId('eye');
  eye.checked = false;
  eye.addEventListener('change', () => {
    document.querySelector('table.pages').classList.toggle('only-eye', eye.checked);
    const count = document.querySelectorAll('tr.eye').length;
    byId('eye-status').textContent = eye.checked ? view.say('eye', {}, count) : '';
  });
})();
