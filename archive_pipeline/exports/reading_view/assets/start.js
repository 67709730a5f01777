// Runs before anything is shown: what the scripts share, and the colours that the reader chose.
(function () {
  'use strict';
  const memory = {};
  const view = (window.archiveView = { texts: {}, pages: [] });

  // Browsers may refuse storage to files and in private windows; then choices last as long as the page.
  view.remember = function (name, value) {
    memory[name] = value;
    try {
      localStorage.setItem('archive-view-' + name, value);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
    }
  };
  view.remembered = function (name) {
    if (name in memory) return memory[name];
    try {
      return localStorage.getItem('archive-view-' + name);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      return null;
    }
  };

  view.setTexts = function (texts) {
    view.texts = texts;
  };
  view.add = function (page) {
    view.pages.push(page);
  };

  const theme = view.remembered('theme');
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
  document.documentElement.classList.add('js');
})();
