// Runs a Bluesky PDS and the PLC directory it needs, on 127.0.0.1 only, until stdin ends or a signal comes.
// Environment: PDS_PORT, PLC_PORT, PDS_DATA_DIRECTORY (an empty directory; the file `ready` appears in it when both
// servers answer), PDS_RATE_LIMITS_ENABLED (`true` for the limits of bsky.social). NODE_PATH finds the packages.
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");

const LOOPBACK = "127.0.0.1";

// Neither server has a setting for the address, and Node's default is every interface.
const listen = http.Server.prototype.listen;
http.Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, port, LOOPBACK, ...rest);
};

// package.json puts libsql in the place of better-sqlite3, since it comes compiled. It differs in one thing that the
// PDS sees: `all` gives a blob as an ArrayBuffer, where better-sqlite3 gives a Buffer.
const Database = require("better-sqlite3");
const Statement = Object.getPrototypeOf(new Database(":memory:").prepare("SELECT 1"));
const { all } = Statement;
Statement.all = function (...parameters) {
  const rows = all.apply(this, parameters);
  for (const row of rows) {
    for (const [column, value] of Object.entries(row)) {
      if (value instanceof ArrayBuffer) row[column] = Buffer.from(value);
    }
  }
  return rows;
};

const plc = require("@did-plc/server");
const { PDS, envToCfg, envToSecrets } = require("@atproto/pds");

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

async function main() {
  const plcPort = Number(required("PLC_PORT"));
  const dataDirectory = required("PDS_DATA_DIRECTORY");

  const plcServer = plc.PlcServer.create({ db: plc.Database.mock(), port: plcPort });
  await plcServer.start();

  // A handle under `.test` and the host name `localhost` keep names, DIDs and URLs on this machine.
  const env = {
    port: Number(required("PDS_PORT")),
    hostname: "localhost",
    devMode: true,
    dataDirectory,
    blobstoreDiskLocation: path.join(dataDirectory, "blobs"),
    didPlcUrl: `http://${LOOPBACK}:${plcPort}`,
    serviceHandleDomains: [".test"],
    inviteRequired: false,
    rateLimitsEnabled: process.env.PDS_RATE_LIMITS_ENABLED === "true",
    jwtSecret: crypto.randomBytes(32).toString("hex"),
    adminPassword: crypto.randomBytes(32).toString("hex"),
    plcRotationKeyK256PrivateKeyHex: crypto.randomBytes(32).toString("hex"),
  };
  const pds = await PDS.create(envToCfg(env), envToSecrets(env));
  await pds.start();

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await pds.destroy();
    await plcServer.destroy();
    process.exit(0);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  // The parent holds the other end of stdin, so a parent that dies, however it dies, leaves no server behind.
  process.stdin.on("end", stop).resume();

  fs.writeFileSync(path.join(dataDirectory, "ready"), "");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
