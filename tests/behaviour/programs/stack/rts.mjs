// A real-time server as impatient as most: at its start it asks Redis one question, and ends with status 3 if there is no answer.
// Afterwards GET /health asks again and answers 200 or 503.
//
//     node rts.mjs PORT REDIS_PORT FILE
//
// FILE.listens is given the milliseconds since 1970 at which it began to listen, and FILE.asked those at which it was asked first.
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";

const [port, redisPort] = process.argv.slice(2, 4).map(Number);
const file = process.argv[4];
const TIMEOUT_MS = 3000;

const note = (what) => writeFileSync(`${file}.${what}`, `${Date.now()}\n`);

const askRedis = () =>
  new Promise((resolve, reject) => {
    const redis = connect(redisPort, "127.0.0.1", () => redis.write("*1\r\n$4\r\nPING\r\n"));
    redis.setTimeout(TIMEOUT_MS, () => redis.destroy(new Error("no answer in time")));
    redis.on("error", reject);
    redis.on("data", (data) => {
      redis.destroy();
      if (String(data).startsWith("+PONG")) resolve();
      else reject(new Error(String(data).trim()));
    });
  });

try {
  await askRedis();
} catch (error) {
  console.error(`rts: what it needs is not there: ${error.message}`);
  process.exit(3);
}
let isAsked = false;
const server = createServer((request, response) => {
  if (!isAsked) note("asked");
  isAsked = true;
  askRedis().then(
    () => response.writeHead(200).end("rts: Redis answers\n"),
    (error) => response.writeHead(503).end(`rts: ${error.message}\n`),
  );
});
server.listen(port, "127.0.0.1", () => {
  note("listens");
  console.log(`rts: listening on port ${port}`);
});
