'use strict';
// Sorts the services, filters them by words, and keeps both in the address, so that a page that is
// loaded again, or sent to somebody, shows the same. Everything is on the page without it, and the
// tiles filter by themselves.
const table = document.getElementById('list');
const heads = [...table.tHead.rows[0].cells];
const rows = [...table.tBodies[0].rows];
const cells = row => [...row.cells].map(cell => cell.textContent.toLowerCase());
const texts = rows.map(row => cells(row).join(' '));
const words = document.getElementById('words');
const shown = document.getElementById('shown');
const tiles = [...document.querySelectorAll('.tiles a')];
const states = tiles.slice(1).map(tile => tile.hash.slice(1));
let sorted = '';

function filter() {
  const state = states.find(state => '#' + state === location.hash);
  const wanted = words.value.toLowerCase().split(/\s+/);
  let count = 0;
  rows.forEach((row, i) => {
    const fits = wanted.every(word => texts[i].includes(word));
    row.hidden = !fits;
    count += fits && (!state || row.classList.contains(state));
  });
  shown.textContent = count ? count + ' of ' + rows.length + ' shown' : 'No service matches.';
  tiles.forEach(tile => {
    const isCurrent = tile.hash === '#' + (state || 'services');
    isCurrent ? tile.setAttribute('aria-current', 'true') : tile.removeAttribute('aria-current');
  });
}

function keep() {
  const kept = new URLSearchParams();
  if (words.value) kept.set('words', words.value);
  if (sorted) kept.set('sort', sorted);
  const query = String(kept);
  history.replaceState(null, '', location.pathname + (query && '?' + query) + location.hash);
}

const order = new Intl.Collator('en', {numeric: true});

function sort(column, direction) {
  heads.forEach(other => other.removeAttribute('aria-sort'));
  heads[column].setAttribute('aria-sort', direction);
  sorted = column + direction;
  const sign = direction === 'ascending' ? 1 : -1;
  const keyed = rows.map(row => [row.cells[column].textContent, row]);
  keyed.sort((a, b) => sign * order.compare(a[0], b[0]));
  const all = document.createDocumentFragment();
  keyed.forEach(pair => all.append(pair[1]));
  table.tBodies[0].append(all);
}

heads.forEach((head, column) => {
  const button = document.createElement('button');
  button.type = 'button';
  button.append(...head.childNodes);
  button.addEventListener('click', () => {
    const isUp = head.getAttribute('aria-sort') === 'ascending';
    sort(column, isUp ? 'descending' : 'ascending');
    keep();
  });
  head.append(button);
});
const kept = new URLSearchParams(location.search);
words.value = kept.get('words') || '';
const by = /^([0-4])((?:a|de)scending)$/.exec(kept.get('sort'));
if (by) sort(+by[1], by[2]);
words.addEventListener('input', () => { filter(); keep(); });
addEventListener('hashchange', filter);
document.getElementById('refresh').addEventListener('click', event => {
  event.preventDefault();
  location.reload();
});
document.getElementById('tools').hidden = false;
filter();
