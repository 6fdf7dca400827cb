'use strict';
// Sorts and filters the services. Everything is on the page without it.
const table = document.getElementById('services');
const heads = [...table.tHead.rows[0].cells];
const rows = [...table.tBodies[0].rows];
const cells = row => [...row.cells].map(cell => cell.textContent.toLowerCase());
const texts = rows.map(row => cells(row).join(' '));
const words = document.getElementById('words');
const state = document.getElementById('state');
const shown = document.getElementById('shown');

function filter() {
  const wanted = words.value.toLowerCase().split(/\s+/);
  let count = 0;
  rows.forEach((row, i) => {
    const fits = wanted.every(word => texts[i].includes(word)) &&
      (!state.value || row.classList.contains(state.value));
    row.hidden = !fits;
    count += fits;
  });
  shown.textContent = count + ' of ' + rows.length + ' shown';
  // So that a page that is loaded again, or sent to somebody, shows the same.
  const kept = new URLSearchParams([['state', state.value], ['words', words.value]]);
  const isAny = state.value || words.value;
  history.replaceState(null, '', isAny ? '#' + kept : location.pathname);
}

const order = new Intl.Collator('en', {numeric: true});

function sort(head) {
  const column = heads.indexOf(head);
  const direction = head.getAttribute('aria-sort') === 'ascending' ? 'descending' : 'ascending';
  heads.forEach(other => other.removeAttribute('aria-sort'));
  head.setAttribute('aria-sort', direction);
  const sign = direction === 'ascending' ? 1 : -1;
  const keyed = rows.map(row => [row.cells[column].textContent, row]);
  keyed.sort((a, b) => sign * order.compare(a[0], b[0]));
  const sorted = document.createDocumentFragment();
  keyed.forEach(pair => sorted.append(pair[1]));
  table.tBodies[0].append(sorted);
}

heads.forEach(head => {
  const button = document.createElement('button');
  button.type = 'button';
  button.append(...head.childNodes);
  button.addEventListener('click', () => sort(head));
  head.append(button);
});
const kept = new URLSearchParams(location.hash.slice(1));
words.value = kept.get('words') || '';
state.value = kept.get('state') || '';
words.addEventListener('input', filter);
state.addEventListener('change', filter);
document.getElementById('tools').hidden = false;
filter();
