// A shop's program with PostHog's Node SDK: makes the calls of a task that comes by standard input.
"use strict";
const { readFileSync } = require("node:fs");
const { PostHog } = require("posthog-node");

function make(client, { type, timestamp, set, setOnce, key, ...call }) {
  const at = timestamp ? { timestamp: new Date(timestamp) } : {};
  const properties = { ...call.properties };
  if (set) properties.$set = set;
  if (setOnce) properties.$set_once = setOnce;
  const { distinctId, uuid } = call;
  if (type === "set") client.capture({ distinctId, event: "$set", properties: { $set: properties }, uuid, ...at });
  else if (type === "set_once")
    client.capture({ distinctId, event: "$set", properties: { $set_once: properties }, uuid, ...at });
  else if (type === "alias") client.alias({ distinctId, alias: call.alias });
  else if (type === "group") client.groupIdentify({ groupType: "company", groupKey: key, properties, distinctId });
  else client.capture({ ...call, properties, ...at });
}

async function main() {
  const task = JSON.parse(readFileSync(0, "utf8"));
  const client = new PostHog(task.key, { host: task.url, ...task.options });
  const errors = [];
  client.on("error", (error) => errors.push(String(error)));
  const begun = performance.now();
  for (const call of task.calls) make(client, call);
  for (let number = 0; number < task.count; number += 1) {
    const uuid = `00000000-0000-0000-0000-${number.toString(16).padStart(12, "0")}`;
    client.capture({ distinctId: `u-${number % 10}`, event: "Product Viewed", uuid });
  }
  await client.shutdown(120_000);
  console.log(JSON.stringify({ errors, seconds: (performance.now() - begun) / 1000 }));
}

main();
