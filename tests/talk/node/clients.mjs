// clients.mjs PORT SECURED_PORT: Zan through ioredis and node-redis, as a Node backend would use
// it. SECURED_PORT asks for "backend" / "key of backend". Ends with 0 if all is well.
import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { createClient } from "redis";

const port = Number(process.argv[2]);
const securedPort = Number(process.argv[3]);

function settled(work, name) {
  return Promise.race([
    work,
    new Promise((_, reject) =>
      setTimeout(() => reject(new Error(`${name}: no answer`)), 20000).unref()),
  ]);
}

async function refused(code, work) {
  await assert.rejects(work, (error) => {
    assert.match(String(error.message), new RegExp(`^${code}`));
    return true;
  });
}

async function withIoredis(options) {
  const client = new Redis({ port, host: "127.0.0.1", lazyConnect: true, ...options });
  client.on("error", (error) => console.error("ioredis:", error.message));
  await client.connect(); // HELLO or INFO (its ready check), CLIENT SETINFO
  assert.equal(await client.ping(), "PONG");
  const { item, protocol } = options;
  assert.match(await client.call("CLIENT", "INFO"), new RegExp(` resp=${protocol} lib-name=ioredis`));
  assert.equal(await client.call("LIKE", 7, item), 1);
  assert.equal(await client.call("LIKE", 7, item), 0);
  assert.deepEqual(await client.call("LIKED", 7, item, item + 1), [1, 0]);
  await refused("BADID", client.call("LIKE", "seven", item));
  await refused("UNKNOWNCMD", client.get("x"));

  const pipeline = client.pipeline();
  for (let account = 0; account < 5000; account++)
    pipeline.call("LIKE", account, item + 2);
  const answers = await pipeline.exec();
  assert.equal(answers.reduce((sum, [error, made]) => sum + (error ? 0 : made), 0), 5000);
  const totals = await client.call("LIKES", item + 2, item + 3);
  assert.deepEqual(totals, [5000, 0]);

  const many = await Promise.all(
    Array.from({ length: 500 }, (_, account) => client.call("LIKE", account, item + 4)));
  assert.equal(many.reduce((sum, made) => sum + made, 0), 500);
  assert.match(await client.info("server"), /zan_version:/);
  assert.equal(await client.client("SETNAME", "io"), "OK");
  assert.equal(await client.client("GETNAME"), "io");
  await client.quit();
}

async function withNodeRedis(RESP, item) {
  const client = createClient({ url: `redis://127.0.0.1:${port}`, RESP, name: "node" });
  client.on("error", (error) => console.error("redis:", error.message));
  await client.connect(); // HELLO 3 SETNAME, CLIENT SETINFO
  assert.equal(await client.ping(), "PONG");
  const call = (...words) => client.sendCommand(words.map(String));
  assert.match(await call("CLIENT", "INFO"), new RegExp(` name=node .* resp=${RESP} `));
  assert.equal(await call("LIKE", 7, item), 1);
  assert.equal(await call("LIKE", 7, item), 0);
  assert.deepEqual(await call("LIKED", 7, item, item + 1), [1, 0]);
  await refused("BADID", call("LIKE", "seven", item));
  const many = await Promise.all(
    Array.from({ length: 5000 }, (_, account) => call("LIKE", account, item + 2)));
  assert.equal(many.reduce((sum, made) => sum + made, 0), 5000);
  const counts = await call("COUNTS", item);
  const likes = Array.isArray(counts) ? counts[counts.indexOf("like") + 1] : counts.like;
  assert.equal(likes, 1);
  assert.equal(await client.clientGetName(), "node");
  assert.ok((await client.clientId()) > 0);
  assert.match(await client.info(), /role:master/);
  assert.equal((await client.configGet("sync")).sync, "always");
  assert.ok((await client.commandCount()) > 30);
  await client.close();
}

async function withLogin() {
  const io = new Redis({ port: securedPort, host: "127.0.0.1", username: "backend",
                         password: "key of backend", lazyConnect: true });
  await io.connect();
  assert.equal(await io.call("LIKE", 1, 2), 1);
  await io.quit();

  // With a key alone it says HELLO 3 AUTH default KEY.
  const unnamed = new Redis({ port: securedPort, host: "127.0.0.1", password: "key of backend",
                              lazyConnect: true });
  await unnamed.connect();
  assert.equal(await unnamed.call("LIKE", 1, 2), 0);
  await unnamed.quit();

  const redis = createClient({ url: `redis://127.0.0.1:${securedPort}`, RESP: 3,
                               username: "backend", password: "key of backend" });
  await redis.connect();
  assert.equal(await redis.sendCommand(["LIKE", "1", "2"]), 0);
  await refused("NOPERM", redis.sendCommand(["CONFIG", "GET", "*"]));
  await redis.close();

  const wrong = createClient({ url: `redis://127.0.0.1:${securedPort}`, username: "backend",
                               password: "guess", socket: { reconnectStrategy: false } });
  wrong.on("error", () => {});
  await refused("WRONGPASS", wrong.connect());
}

await settled(withIoredis({ item: 1000, protocol: 2 }), "ioredis, RESP2");
await settled(withIoredis({ item: 2000, protocol: 3, enableAutoPipelining: true }), "ioredis, RESP3");
await settled(withNodeRedis(2, 3000), "redis, RESP2");
await settled(withNodeRedis(3, 4000), "redis, RESP3");
await settled(withLogin(), "login");
process.exit(0);
