// A small booking back end: JSON over HTTP, bookings in memory, no
// dependencies. Only Caddy reaches it, because it listens on loopback.

import { createServer } from 'node:http';

const bookings = new Map();
const retries = new Map(); // ids by Idempotency-Key
let lastID = 0;

function answer(res, status, value) {
  const body = JSON.stringify(value);
  res.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
  });
  res.end(body);
}

async function readJSON(req) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString() || '{}');
}

// A client that got no answer asks again with the same key, and must not have
// booked twice.
function create(req, res, wanted) {
  const key = req.headers['idempotency-key'];
  if (key && retries.has(key)) {
    return answer(res, 201, { booking: bookings.get(retries.get(key)) });
  }
  const taken = [...bookings.values()].some((b) => b.start === wanted.start);
  if (taken) return answer(res, 409, { error: 'somebody else has booked this time' });

  const id = String(++lastID);
  const booking = { ...wanted, id, meet_url: `https://meet.example.com/${id}` };
  bookings.set(id, booking);
  if (key) retries.set(key, id);
  answer(res, 201, { booking });
}

function change(res, id, wanted) {
  const { id: _, meet_url: __, ...changes } = wanted; // these are ours
  const booking = { ...bookings.get(id), ...changes };
  bookings.set(id, booking);
  answer(res, 200, { booking });
}

async function handle(req, res) {
  const [, collection, id] = new URL(req.url, 'http://localhost').pathname.split('/');
  if (collection !== 'bookings') return answer(res, 404, { error: 'no such page' });

  const wanted = ['POST', 'PUT', 'PATCH'].includes(req.method) ? await readJSON(req) : {};
  if (req.method === 'POST' && !id) return create(req, res, wanted);
  if (!bookings.has(id)) return answer(res, 404, { error: 'no such booking' });

  switch (req.method) {
    case 'GET':
      return answer(res, 200, { booking: bookings.get(id) });
    case 'PUT':
    case 'PATCH':
      return change(res, id, wanted);
    case 'DELETE':
      bookings.delete(id);
      return res.writeHead(204).end();
    default:
      return answer(res, 405, { error: 'no such method' });
  }
}

const server = createServer((req, res) => {
  handle(req, res).catch(() => answer(res, 400, { error: 'the body is not JSON' }));
});
server.listen(Number(process.env.PORT ?? 9000), '127.0.0.1', () => {
  console.log(`listening on ${server.address().port}`);
});
