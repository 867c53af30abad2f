// Creates the replica set and the users if they are not there, and ends with 0 when the server takes writes.
// The first user is created by the localhost exception; after that nobody works without a log-in.
const fs = require("fs");
const secret = (name) => fs.readFileSync(`/run/secrets/${name}`, "utf8").trim();
const admin = db.getSiblingDB("admin");

if (db.hello().isreplicaset) {
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: "mongo:27017" }] });
}
if (!db.hello().isWritablePrimary) {
  quit(1);
}
const root = { user: "root", pwd: secret("mongo_root_password") };
try {
  admin.auth(root);
} catch {
  admin.createUser({ ...root, roles: ["root"] });
  admin.auth(root);
}
const clinic = db.getSiblingDB("clinic");
if (clinic.getUser("clinic") === null) {
  clinic.createUser({ user: "clinic", pwd: secret("mongo_clinic_password"), roles: ["readWrite"] });
}
quit(0);
