// First boot of the embedded MongoDB, for mongosh: the replica set, and the user of the product.
//
// mongod runs with its key file from the beginning. As long as there is no user, it lets whoever comes from this machine begin a
// replica set and make the first user, and nothing else. So no server without passwords is ever started. Each step looks at what is
// there, so whatever interrupts this, the next run goes on.
const { DATABASE_PASSWORD: password, EMBEDDED_MONGODB_PORT: port } = process.env;
const USER = "product", REPLICA_SET = "product";
const PATIENCE_MS = 30_000, LOOK_EVERY_MS = 100;
const UNAUTHORIZED = 13, AUTHENTICATION_FAILED = 18;
// `restart_prevent=3`: no further attempt can mend it.
const GIVE_UP = 3;

const address = `127.0.0.1:${port}`;
const connect = () => new Mongo(`mongodb://${address}/?directConnection=true`).getDB("admin");

let admin = connect();
let isKnown = true;
try {
  admin.auth(USER, password);
} catch (error) {
  if (error.code !== AUTHENTICATION_FAILED) throw error;
  isKnown = false;
  admin = connect();
}

try {
  if (!admin.runCommand({ hello: 1 }).setName) {
    admin.runCommand({ replSetInitiate: { _id: REPLICA_SET, members: [{ _id: 0, host: address }] } });
    print("the replica set is begun");
  }
  // Only the primary can make a user, and its election takes a moment.
  const end = Date.now() + PATIENCE_MS;
  while (!admin.runCommand({ hello: 1 }).isWritablePrimary) {
    if (Date.now() > end) throw new Error(`there is no primary within ${PATIENCE_MS / 1000} s`);
    sleep(LOOK_EVERY_MS);
  }
  if (!isKnown) {
    admin.runCommand({ createUser: USER, pwd: password, roles: [{ role: "root", db: "admin" }] });
    print("the user is made");
  }
} catch (error) {
  if (error.code !== UNAUTHORIZED) throw error;
  print(
    `this MongoDB has users, and none of them is \`${USER}\` with the password of the settings. Nothing was changed. ` +
      "Set DATABASE_PASSWORD to what it was when the data were made.",
  );
  quit(GIVE_UP);
}
