// Shows the data of /control and posts the forms. Message bodies are inserted as text, never as HTML: they are untrusted.
'use strict';

const byId = (id) => document.getElementById(id);
const state = { phone: decodeURIComponent(location.hash.slice(1)), phones: [], lines: [], loading: false, stale: false };

const ask = async (path, options) => {
  const answer = await fetch(path, options);
  if (!answer.ok) throw new Error(await answer.text() || answer.statusText);
  return answer.status === 204 ? null : answer.json();
};
const post = (path, value) =>
  ask(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) });

const element = (name, className, text) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};
const moment = (instant) => instant.slice(5, 16).replace('T', ' ');

async function refresh() {
  if (state.loading) { state.stale = true; return; }
  state.loading = true;
  try {
    const [now, list] = await Promise.all([ask('/control/state'), ask('/control/phones')]);
    state.lines = now.lines;
    state.phones = list.phones;
    if (!state.phone && list.phones.length) state.phone = list.phones[0].phone;
    const shown = state.phone ? await ask(`/control/phones/${encodeURIComponent(state.phone)}`) : null;
    showState(now);
    showPhones();
    showConversation(shown);
  } finally {
    state.loading = false;
    if (state.stale) { state.stale = false; refresh(); }
  }
}

function showState(now) {
  byId('clock').textContent = `${now.now.slice(0, 10)} ${now.now.slice(11, 16)} UTC`;
  byId('counts').textContent = `${now.posts} texts posted, ${now.underWay} in delivery.`;
  const nameOf = (fault) => [...byId('kind').options].find((each) =>
    each.value === fault.kind && [undefined, String(fault.errorCode)].includes(each.dataset.code))?.text ?? `${fault.kind} (${fault.errorCode})`;
  byId('faults').replaceChildren(...now.faults.map((fault) =>
    element('li', '', `${fault.count} × ${nameOf(fault)}${fault.to ? ` to ${fault.to}` : ''}`)));
  byId('clear').hidden = now.faults.length === 0;
  if (byId('line').options.length !== now.lines.length) {
    byId('line').replaceChildren(...now.lines.map((line) => {
      const option = element('option', '', `to ${line}`);
      option.value = line;
      return option;
    }));
  }
}

function showPhones() {
  const wanted = byId('search').value.replace(/[^0-9]/g, '');
  const shown = state.phones.filter(({ phone }) => phone.includes(wanted));
  byId('none').hidden = state.phones.length > 0;
  byId('phones').replaceChildren(...shown.map(({ phone, last }) => {
    const button = element('button');
    button.type = 'button';
    button.setAttribute('aria-current', String(phone === state.phone));
    button.addEventListener('click', () => choose(phone));
    const row = element('span', 'row');
    row.append(element('b', '', phone), element('span', 'quiet', moment(last.at)));
    button.append(row, element('span', 'last', last.body));
    const item = element('li');
    item.append(button);
    return item;
  }));
}

function showConversation(shown) {
  byId('phone').hidden = !shown;
  byId('nothing').hidden = Boolean(shown);
  if (!shown || shown.phone !== state.phone) return;
  byId('number').textContent = shown.phone;
  byId('stopped').hidden = shown.stopped.length === 0;
  byId('stopped').textContent = `has sent STOP to ${shown.stopped.join(' and ')}`;
  const box = byId('messages');
  const last = shown.messages.at(-1);
  const news = !last || box.dataset.last !== `${shown.phone} ${last.number}`;
  box.replaceChildren(...shown.messages.map(bubble));
  if (!news) return;
  box.dataset.last = last ? `${shown.phone} ${last.number}` : '';
  box.scrollTop = box.scrollHeight;
  const ours = last && (last.direction === 'inbound' ? last.to : last.from);
  if (ours) byId('line').value = ours;
}

function bubble(message) {
  const theirs = message.direction === 'inbound';
  const item = element('li', theirs ? 'theirs' : '');
  const meta = element('span', 'meta', theirs ? `${moment(message.at)} · to ${message.to}` : `${moment(message.at)} · from ${message.from} · `);
  if (!theirs) meta.append(element('span', message.status, message.status + (message.errorCode ? ` (${message.errorCode})` : '')));
  item.append(element('p', 'bubble', message.body), meta);
  return item;
}

function choose(phone) {
  state.phone = phone;
  history.replaceState(null, '', `#${encodeURIComponent(phone)}`);
  byId('told').textContent = '';
  refresh();
}

async function answer(body) {
  byId('told').textContent = 'Waiting for the hub…';
  try {
    const told = await post('/control/answers', { phone: state.phone, line: byId('line').value, body });
    byId('told').textContent = told.status === 0 ? 'The hub did not answer.'
      : told.status >= 300 ? `The hub answered ${told.status}.`
      : told.answer === null ? 'The hub accepted the text and did not reply.' : '';
  } catch (error) {
    byId('told').textContent = error.message;
  }
  refresh();
}

byId('search').addEventListener('input', () => {
  showPhones();
  if (/^\+[1-9]\d{6,14}$/.test(byId('search').value)) choose(byId('search').value); // a phone that has no texts yet
});
byId('answer').addEventListener('submit', (event) => {
  event.preventDefault();
  answer(byId('body').value);
  byId('body').value = '';
});
byId('quick').addEventListener('click', (event) => {
  if (event.target.dataset.body) answer(event.target.dataset.body);
});
byId('fault').addEventListener('submit', async (event) => {
  event.preventDefault();
  const only = byId('only').checked && state.phone ? { to: state.phone } : {};
  const { value, dataset } = byId('kind').selectedOptions[0];
  const code = dataset.code ? { errorCode: Number(dataset.code) } : {};
  await post('/control/faults', { kind: value, count: Number(byId('count').value), ...only, ...code });
  refresh();
});
byId('clear').addEventListener('click', async () => {
  await ask('/control/faults', { method: 'DELETE' });
  refresh();
});
byId('close').addEventListener('click', () => post('/control/closed', { seconds: 10 }));

new EventSource('/control/changes').addEventListener('message', refresh);
setInterval(refresh, 15000); // keeps the clock current when there are no changes
refresh();
