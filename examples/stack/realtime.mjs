// The real-time server of the example: hears of every visit from Redis and tells every open page, by
// server-sent events. No packages, so that Node alone is enough.
import { createServer } from "node:http";
import { connect } from "node:net";

const { REALTIME_PORT, REDIS_PORT, REDIS_URL, REDIS_PASSWORD } = process.env;
const redisUrl = new URL(REDIS_URL || `redis://127.0.0.1:${REDIS_PORT}`);
const password = decodeURIComponent(redisUrl.password) || REDIS_PASSWORD;
const RETRY_MS = 300;
const PULSE_MS = 15_000;

const pages = new Set();
let visits = null;

function send(page) {
  page.write(`event: visits\ndata: ${JSON.stringify({ visits, watching: pages.size, pid: process.pid })}\n\n`);
}
const sendAll = () => pages.forEach(send);

// Reads what Redis says, one value at a time; answers with [value, rest] or null when more must come.
function parse(text) {
  const end = text.indexOf("\r\n");
  if (end < 0) return null;
  const head = text.slice(1, end);
  let rest = text.slice(end + 2);
  if (text[0] === "$") {
    const length = Number(head);
    if (length < 0) return [null, rest];
    return rest.length < length + 2 ? null : [rest.slice(0, length), rest.slice(length + 2)];
  }
  if (text[0] === "*") {
    const values = [];
    for (let i = 0; i < Number(head); i++) {
      const item = parse(rest);
      if (!item) return null;
      values.push(item[0]);
      rest = item[1];
    }
    return [values, rest];
  }
  return [text[0] === ":" ? Number(head) : head, rest];
}

const words = (...parts) => `*${parts.length}\r\n${parts.map((part) => `$${part.length}\r\n${part}\r\n`).join("")}`;

// Redis may be started after us or be killed at any time: then we ask again, and the pages stay open.
function listenToRedis() {
  let text = "";
  const redis = connect(Number(redisUrl.port || 6379), redisUrl.hostname);
  redis.setEncoding("latin1");
  redis.on("connect", () => {
    console.log("realtime: listening to Redis");
    // The count so far comes first: the subscription holds only what happens from now on.
    const greeting = password ? words("AUTH", password) : "";
    redis.write(greeting + words("GET", "visits") + words("SUBSCRIBE", "visits"));
  });
  redis.on("data", (chunk) => {
    text += chunk;
    for (let found; text && (found = parse(text)); text = found[1]) {
      const [value] = found;
      if (Array.isArray(value) && value[0] === "message") visits = Number(value[2]);
      else if (!Array.isArray(value) && value !== "OK") visits = Number(value ?? 0);
      else continue;
      sendAll();
    }
  });
  redis.on("error", (error) => console.log(`realtime: Redis: ${error.code}`));
  redis.on("close", () => setTimeout(listenToRedis, RETRY_MS));
}

const server = createServer((request, response) => {
  if (request.url !== "/events") {
    response.writeHead(404).end("not found\n");
    return;
  }
  response.writeHead(200, {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
  });
  // After a restart of ours the browser comes back by itself, this soon.
  response.write("retry: 500\n\n");
  pages.add(response);
  sendAll();
  response.on("close", () => {
    pages.delete(response);
    sendAll();
  });
});

process.on("SIGTERM", () => {
  console.log("realtime: asked to stop");
  process.exit(0);
});
setInterval(() => pages.forEach((page) => page.write(": still here\n\n")), PULSE_MS);
listenToRedis();
server.listen(Number(REALTIME_PORT), "127.0.0.1", () => console.log(`realtime: listening on port ${REALTIME_PORT}, pid ${process.pid}`));
