// What every page has: colours, the list of keys, and the keys themselves.
(function () {
  'use strict';
  const view = window.archiveView;
  const byId = (id) => document.getElementById(id);

  const theme = byId('theme');
  const systemDark = matchMedia('(prefers-color-scheme: dark)');
  const isDark = () =>
    document.documentElement.dataset.theme ? document.documentElement.dataset.theme === 'dark' : systemDark.matches;
  const showTheme = () => theme.setAttribute('aria-pressed', String(isDark()));
  theme.addEventListener('click', () => {
    const chosen = isDark() ? 'light' : 'dark';
    document.documentElement.dataset.theme = chosen;
    view.remember('theme', chosen);
    showTheme();
  });
  if (systemDark.addEventListener) systemDark.addEventListener('change', showTheme);
  showTheme();

  const help = byId('help');
  const single = byId('single-keys');
  single.checked = view.remembered('keys') !== 'off';
  single.addEventListener('change', () => view.remember('keys', single.checked ? 'on' : 'off'));
  const openHelp = () => (help.showModal ? help.open || help.showModal() : help.setAttribute('open', ''));
  byId('help-open').addEventListener('click', openHelp);
  byId('help-close').addEventListener('click', () => (help.close ? help.close() : help.removeAttribute('open')));

  view.keys = {
    '?': openHelp,
    '/': () => {
      byId('search').focus();
      byId('search').select();
    }
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || help.open) return;
    const typing = event.target.closest('input, textarea, select');
    if (typing && (event.key !== 'Escape' || (typing.type === 'search' && typing.value))) return;
    if (event.key.length === 1 && !single.checked) return;
    // Inside something that scrolls sideways the arrows scroll.
    const scroller = event.target.closest('.desk, .vertical');
    if (scroller && event.key.startsWith('Arrow') && scroller.scrollWidth > scroller.clientWidth + 1) return;
    const action = view.keys[event.key];
    if (!action) return;
    event.preventDefault();
    if (typing) typing.blur();
    action(event);
  });
})();
