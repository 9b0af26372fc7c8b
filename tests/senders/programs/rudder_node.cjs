// A shop's program with RudderStack's Node SDK: makes the calls of a task that comes by standard input.
"use strict";
const { readFileSync } = require("node:fs");
const RudderAnalytics = require("@rudderstack/rudder-sdk-node");

// The SDK looks at its whole queue with each call, so calls come no faster than it sends.
const CALLS_AT_ONCE = 100;

async function main() {
  const task = JSON.parse(readFileSync(0, "utf8"));
  const errors = [];
  // Without a handler, a batch that was refused ends the process.
  const options = { dataPlaneUrl: task.url, logLevel: "none", errorHandler: () => undefined, ...task.options };
  const analytics = new RudderAnalytics(task.key, options);
  const begun = performance.now();
  let waiting = [];
  const make = (type, call) => {
    waiting.push(
      new Promise((done) => {
        analytics[type](call, (error) => {
          if (error) errors.push(String(error.message || error.code));
          done();
        });
      }),
    );
  };
  const drain = async () => {
    while (analytics.queue.length > 0) await analytics.flush();
    await Promise.all(waiting);
    waiting = [];
  };
  for (const { type, ...call } of task.calls) {
    make(type, call.timestamp ? { ...call, timestamp: new Date(call.timestamp) } : call);
  }
  for (let number = 0; number < task.count; number += 1) {
    make("track", { userId: `u-${number % 10}`, event: "Product Viewed", messageId: `n-${number}` });
    if (waiting.length >= CALLS_AT_ONCE) await drain();
  }
  await drain();
  console.log(JSON.stringify({ errors, seconds: (performance.now() - begun) / 1000 }));
  process.exit(0);
}

main();
