// Record a touchpoint and read what the relationship is worth, from Node with @grpc/grpc-js.
//
// Node 20.11 or later. Run `npm ci` and `rapport up --detach`, then `node examples/record_and_ask.mjs`. The protos are all
// a caller in another language needs; the tenant and who calls go into the metadata.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const stack = JSON.parse(readFileSync(join(process.env.RAPPORT_DIR ?? ".rapport", "stack.json")));
const protos = join(import.meta.dirname, "..", "proto");
const files = ["rapport/v1/ledger_service.proto", "rapport/v1/capital_service.proto"];
const options = { includeDirs: [protos], keepCase: true, longs: Number, defaults: true };
const { rapport } = grpc.loadPackageDefinition(loader.loadSync(files, options));

const insecure = grpc.credentials.createInsecure();
const ledger = new rapport.v1.LedgerService(stack.endpoints.ledger, insecure);
const capital = new rapport.v1.CapitalService(stack.endpoints.projector, insecure);
const metadata = new grpc.Metadata();
metadata.set("x-rapport-tenant", process.env.RAPPORT_TENANT ?? "default");
metadata.set("x-rapport-principal", "people/ann");

// Every call takes its time limit along.
const call = (client, method) => (request) =>
  promisify(client[method].bind(client))(request, metadata, { deadline: Date.now() + 10_000 });

const recorded = await call(ledger, "AppendEvents")({
  events: [
    {
      event_id: randomUUID(), // keep it: the same request may be sent again safely
      touchpoint: {
        initiator: "people/ann",
        counterpart: "people/dana",
        kind: "call",
        note: { text: "Her daughter graduates in May." },
      },
    },
  ],
});
const { balance } = await call(capital, "GetBalance")({
  relationship: "relationships/ann~dana",
  as_of: { min_position: recorded.last_position }, // the answer holds what was just recorded
});
console.log(JSON.stringify({ position: recorded.last_position, ...balance }));

// A refusal says why: the status has a google.rpc.ErrorInfo with a reason.
try {
  await call(ledger, "AppendEvents")({ events: [{ event_id: "no uuid" }] });
} catch (error) {
  console.log(JSON.stringify({ code: grpc.status[error.code], details: error.details }));
}
ledger.close();
capital.close();
