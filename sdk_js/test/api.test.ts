import assert from "node:assert/strict";
import { test } from "node:test";
import { createApi, queuedCalls } from "../src/api";

function recording() {
  const calls: unknown[][] = [];
  const record =
    (name: string) =>
    (...values: unknown[]) =>
      void calls.push([name, ...values]);
  const commands = {
    track: record("track"),
    page: record("page"),
    identify: record("identify"),
    reset: record("reset"),
    push: record("push"),
    consent: () => {
      throw new Error("broken");
    },
  };
  return { calls, api: createApi(commands, "1.2.3") };
}

void test("takes commands by name and by method", () => {
  const { api, calls } = recording();
  api("track", "a", { n: 1 });
  api.track("b");
  api.identify("ada");
  assert.deepEqual(calls, [
    ["track", "a", { n: 1 }],
    ["track", "b"],
    ["identify", "ada"],
  ]);
  assert.equal(api.version, "1.2.3");
});

void test("never throws into the page, whatever it is called with", () => {
  const { api } = recording();
  const call = api as (...values: unknown[]) => void;
  for (const values of [["consent", {}], ["unknown"], [], [null], [{}], ["toString"]])
    assert.doesNotThrow(() => call(...values));
  assert.doesNotThrow(() => api.consent({}));
});

void test("finds the calls from before the load in their order", () => {
  const stub = Object.assign(() => undefined, { q: [] as ArrayLike<unknown>[] });
  function micromoment(..._values: unknown[]): void {
    stub.q.push(arguments);
  }
  micromoment("track", "first");
  micromoment("bogus");
  micromoment("identify", "ada", { plan: "pro" });
  assert.deepEqual(queuedCalls(stub), [["track", "first"], ["bogus"], ["identify", "ada", { plan: "pro" }]]);
});

void test("finds no calls where no snippet was pasted", () => {
  assert.deepEqual(queuedCalls(undefined), []);
  assert.deepEqual(queuedCalls(() => undefined), []);
});
