// A shop's program with Segment's Node SDK: makes the calls of a task that comes by standard input.
"use strict";
const { readFileSync } = require("node:fs");
const { Analytics } = require("@segment/analytics-node");

async function main() {
  const task = JSON.parse(readFileSync(0, "utf8"));
  const analytics = new Analytics({ writeKey: task.key, host: task.url, ...task.options });
  const errors = [];
  analytics.on("error", (error) => errors.push(String(error.reason ?? error.code)));
  const begun = performance.now();
  for (const { type, ...call } of task.calls) {
    analytics[type](call.timestamp ? { ...call, timestamp: new Date(call.timestamp) } : call);
  }
  for (let number = 0; number < task.count; number += 1) {
    analytics.track({ userId: `u-${number % 10}`, event: "Product Viewed", messageId: `n-${number}` });
  }
  await analytics.closeAndFlush({ timeout: 120_000 });
  console.log(JSON.stringify({ errors, seconds: (performance.now() - begun) / 1000 }));
}

main();
